using System.CommandLine;
using System.Globalization;

namespace LoggingService.Cli;

/// <summary>The command <c>export</c>: copies the log of a room, or all that the logs have of a user, to a folder.</summary>
internal static class ExportCommand
{
    private const UnixFileMode FolderMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <param name="readOptions">Reads the settings.</param>
    public static Command Create(Func<ParseResult, LoggingServiceOptions> readOptions)
    {
        var command = new Command("export", "Exports the log of a room, or all events of a user, to a folder.");
        var room = new Argument<string?>("ROOM") { Description = "Alias or id of a room", Arity = ArgumentArity.ZeroOrOne };
        var user = new Option<string?>("--user") { HelpName = "USER", Description = "Only events of this user; without ROOM of all rooms" };
        var from = new Option<string?>("--from") { HelpName = "DATE", Description = "First day, such as 2026-11-01 [default: the oldest]" };
        var to = new Option<string?>("--to") { HelpName = "DATE", Description = "Last day [default: the newest]" };
        var format = new Option<string>("--format") { HelpName = "FORMAT", Description = "text, jsonl, element or html [default: text]" };
        var output = new Option<string?>("--output") { HelpName = "FOLDER", Description = "Folder to write to [default: export]" };
        command.Add(room);
        foreach (var option in (Option[])[user, from, to, format, output])
        {
            command.Add(option);
        }

        SettingOption.AddTo(command, "--logs");
        command.SetAction((parsed, cancellation) => Task.Run(
            () =>
            {
                var root = LogDirectoryPath.Of(readOptions(parsed));
                var named = parsed.GetValue(room);
                var request = new ExportRequest(
                    named is null ? null : LogDirectoryPath.OfRoom(root, named),
                    ReadUser(parsed.GetValue(user), named is null),
                    ReadDate("--from", parsed.GetValue(from)), ReadDate("--to", parsed.GetValue(to)), ReadFormat(parsed.GetValue(format)));
                return Run(root, request, Path.GetFullPath(parsed.GetValue(output) ?? "export"), cancellation);
            },
            cancellation));
        return command;
    }

    /// <exception cref="FatalException">A file can't be read or written.</exception>
    private static int Run(string root, ExportRequest request, string output, CancellationToken cancellation)
    {
        Directory.CreateDirectory(output, FolderMode);
        if (request.Format == ExportFormat.Html)
        {
            Console.WriteLine(HtmlExport.Run(root, request, output, cancellation));
            return 0;
        }

        var rooms = RoomFolders(root, request).Select(room => new RoomExport(root, room, request, output)).ToList();
        using var progress = new ExportProgress(output, request);
        var line = new ProgressLine(rooms.Sum(room => room.Days.Count), "days");
        var (days, exportedRooms, events) = (0L, 0, 0L);
        foreach (var room in rooms)
        {
            var eventsOfRoom = 0L;
            foreach (var day in room.Days)
            {
                cancellation.ThrowIfCancellationRequested();
                if (!progress.IsDone(room.Name, day))
                {
                    eventsOfRoom += Export(room, day);

                    // The newest day may grow until an interrupted export continues.
                    if (day != room.Days[^1])
                    {
                        progress.Add(room.Name, day);
                    }
                }

                days++;
                line.Report(days);
            }

            exportedRooms += room.Complete() ? 1 : 0;
            events += eventsOfRoom;
        }

        progress.Complete();
        line.Clear();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"Exported {Count(events, "event")} of {Count(days, "day")}, {Count(exportedRooms, "room")}, to {output}"));
        return 0;
    }

    private static string Count(long number, string noun) =>
        string.Create(CultureInfo.InvariantCulture, $"{number} {noun}{(number == 1 ? "" : "s")}");

    private static long Export(RoomExport room, DateOnly day)
    {
        try
        {
            return room.ExportDay(day);
        }
        catch (FileNotFoundException)
        {
            // Retention removed it meanwhile.
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FatalException($"Failed to export {day:yyyy-MM-dd} of {room.Name}: {e.Message} Run it again to continue.");
        }
    }

    private static IEnumerable<string> RoomFolders(string root, ExportRequest request) => request.Room is { } room
        ? [room]
        : new DirectoryInfo(root).EnumerateDirectories("!*")
            .Where(folder => folder.LinkTarget is null)
            .Select(folder => folder.Name)
            .Order(StringComparer.Ordinal);

    private static string? ReadUser(string? user, bool isRequired)
    {
        if (user is null && isRequired)
        {
            throw new ConfigurationException("export needs a room, or --user USER for all that the logs have of a user");
        }

        return user is null or ['@', ..]
            ? user
            : throw new ConfigurationException($"--user is \"{user}\"; expected a full user id, such as @alice:example.org");
    }

    private static DateOnly? ReadDate(string option, string? text) => text is null ? null
        : DateOnly.TryParseExact(text, ["yyyy-MM-dd", "yyyyMMdd"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day
        : throw new ConfigurationException($"{option} is \"{text}\"; expected a date such as 2026-11-23");

    private static ExportFormat ReadFormat(string? text) => text switch
    {
        null or "text" => ExportFormat.Text,
        "jsonl" => ExportFormat.Jsonl,
        "element" => ExportFormat.Element,
        "html" => ExportFormat.Html,
        _ => throw new ConfigurationException($"--format is \"{text}\"; expected text, jsonl, element or html"),
    };
}
