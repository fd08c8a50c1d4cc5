using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using LoggingService.Rendering;

namespace LoggingService.Cli;

/// <summary>The command <c>rooms</c>: a table of the rooms in the logs, for admins and scripts.</summary>
internal static class RoomsCommand
{
    private static readonly string[] Columns = ["ALIAS", "NAME", "STATE", "EVENTS", "SIZE", "FIRST DAY", "LAST DAY", "LAST EVENT", "ROOM"];
    private static readonly RoomSummaryJson Json = new(
        new JsonSerializerOptions(RoomSummaryJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <param name="readOptions">Reads the settings.</param>
    public static Command Create(Func<ParseResult, LoggingServiceOptions> readOptions)
    {
        var command = new Command("rooms", "Lists the rooms in the logs, with their state and size.");
        var json = new Option<bool>("--json") { Description = "Write JSON" };
        command.Add(json);
        SettingOption.AddTo(command, "--logs");
        command.SetAction(parsed => Run(LogDirectoryPath.Of(readOptions(parsed)), parsed.GetValue(json)));
        return command;
    }

    private static int Run(string root, bool isJson)
    {
        var rooms = RoomSummary.ReadAll(root);
        if (isJson)
        {
            Console.WriteLine(JsonSerializer.Serialize(rooms, Json.IReadOnlyListRoomSummary));
            return 0;
        }

        List<string[]> rows = [Columns, .. rooms.Select(Row)];
        var widths = Columns.Select((_, i) => rows.Max(row => row[i].Length)).ToList();
        foreach (var row in rows)
        {
            var cells = row.Select((cell, i) => i is 3 or 4 ? cell.PadLeft(widths[i]) : cell.PadRight(widths[i]));
            Console.WriteLine(string.Join("  ", cells).TrimEnd());
        }

        return 0;
    }

    private static string[] Row(RoomSummary room) =>
    [
        room.Links.Count == 0 ? "-" : string.Join(", ", room.Links.Select(link => $"#{link}")),
        room.Name is { } name ? SafeText.Escape(name) : "-",
        room.State,
        room.Events.ToString(CultureInfo.InvariantCulture),
        Size(room.Bytes),
        room.FirstDay?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? "-",
        room.LastDay?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? "-",
        room.LastEvent?.ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture) ?? "-",
        SafeText.Escape(room.RoomId),
    ];

    /// <summary>As <c>ls -h</c>: in units of 1,024.</summary>
    private static string Size(long bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB"];
        var unit = 0;
        double size = bytes;
        for (; size >= 1024 && unit < units.Length - 1; unit++)
        {
            size /= 1024;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{size:0.#} {units[unit]}");
    }
}
