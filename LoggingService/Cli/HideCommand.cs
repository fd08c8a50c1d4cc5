using System.CommandLine;
using LoggingService.Files;
using LoggingService.Visibility;

namespace LoggingService.Cli;

/// <summary>The command <c>hide</c>: keeps an event, all of a user, or a room off the web pages. The records stay as they are.</summary>
internal static class HideCommand
{
    /// <param name="readOptions">Reads the settings.</param>
    public static Command Create(Func<ParseResult, LoggingServiceOptions> readOptions)
    {
        var command = new Command("hide", "Hides an event, all of a user, or a room from the web pages; the logs stay as they are.");
        var eventId = new Option<string>("--event") { Description = "Id of the event", HelpName = "ID" };
        var user = new Option<string>("--user") { Description = "Id of the user", HelpName = "ID" };
        var room = new Option<string>("--room") { Description = "Id or alias of the room", HelpName = "ROOM" };
        var undo = new Option<bool>("--undo") { Description = "Show it again" };
        foreach (var option in (Option[])[eventId, user, room, undo])
        {
            command.Add(option);
        }

        SettingOption.AddTo(command, "--logs");
        command.SetAction(parsed =>
        {
            var root = LogDirectoryPath.Of(readOptions(parsed));
            if (Environment.IsPrivilegedProcess && FileOwner.Of(root) is { User: not 0 }
                && !Directory.Exists(Path.Combine(root, HiddenEvents.FolderName)))
            {
                throw new FatalException($"Run hide as the user that owns {root}: the pages must be able to read what is hidden");
            }

            var (kind, id) = Check(root, parsed.GetValue(eventId), parsed.GetValue(user), parsed.GetValue(room));
            return Run(root, kind, id, isHidden: !parsed.GetValue(undo));
        });
        return command;
    }

    /// <exception cref="FatalException">The options don't fit together, or there is no such room.</exception>
    private static (string Kind, string Id) Check(string root, string? eventId, string? user, string? room) => (eventId, user, room) switch
    {
        (['$', _, ..], null, null) => ("event", eventId),
        (not null, null, null) =>
            throw new ConfigurationException("--event needs the id of an event, which begins with $ (quote it for the shell)"),
        (null, ['@', ..], null) when user.Contains(':', StringComparison.Ordinal) => ("user", user),
        (null, not null, null) => throw new ConfigurationException("--user needs a full user id, such as @alice:example.org"),
        (null, null, not null) => ("room", RoomIdOf(root, room)),
        (null, null, null) => throw new ConfigurationException("hide needs one of --event, --user and --room"),
        _ => throw new ConfigurationException("hide takes only one of --event, --user and --room"),
    };

    /// <summary>A room that is not logged can be hidden by its id only.</summary>
    private static string RoomIdOf(string root, string room)
    {
        if (room.StartsWith('!'))
        {
            return room;
        }

        var folder = Path.Combine(root, LogDirectoryPath.OfRoom(root, room));
        return RoomLogs.RoomRecords.FindLast(folder)?.RoomId ?? throw new FatalException($"The log of {room} does not tell its id");
    }

    private static int Run(string root, string kind, string id, bool isHidden)
    {
        bool isChanged;
        try
        {
            isChanged = new HiddenEvents(root).Set(kind, id, isHidden);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FatalException($"Failed to write {Path.Combine(root, HiddenEvents.FolderName)}: {e.Message}");
        }

        var shown = Rendering.SafeText.Escape(id).ToString();
        Console.WriteLine((isHidden, isChanged) switch
        {
            (true, true) => $"Hidden: {kind} {shown}",
            (true, false) => $"The {kind} {shown} was hidden already",
            (false, true) => $"Shown again: {kind} {shown}",
            (false, false) => $"The {kind} {shown} was not hidden",
        });
        return 0;
    }
}
