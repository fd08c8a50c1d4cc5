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
        var retention = new Option<bool>("--retention") { Description = "List what HonourRoomRetention removes, or would remove" };
        command.Add(json);
        command.Add(retention);
        SettingOption.AddTo(command, "--logs", "--retain-days", "--retain-days-min");
        command.SetAction(parsed =>
        {
            var options = readOptions(parsed);
            var root = LogDirectoryPath.Of(options);
            if (!parsed.GetValue(retention))
            {
                return Run(root, parsed.GetValue(json));
            }

            RetentionTable.Write(root, options, DateOnly.FromDateTime(DateTime.Now));
            return 0;
        });
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

        TextTable.Write([Columns, .. rooms.Select(Row)], [3, 4]);
        return 0;
    }

    private static string[] Row(RoomSummary room) =>
    [
        Alias(room),
        room.Name is { } name ? SafeText.Escape(name) : "-",
        room.State,
        room.Events.ToString(CultureInfo.InvariantCulture),
        TextTable.Size(room.Bytes),
        room.FirstDay?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? "-",
        room.LastDay?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? "-",
        room.LastEvent?.ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture) ?? "-",
        SafeText.Escape(room.RoomId),
    ];

    /// <summary>The aliases, or in parentheses the last one of a room that has none.</summary>
    private static string Alias(RoomSummary room)
    {
        if (room.Links.Count > 0)
        {
            return string.Join(", ", room.Links.Select(link => $"#{link}"));
        }

        return room.LastAlias is { } last ? $"({SafeText.Escape(last.Split(':')[0])})" : "-";
    }
}
