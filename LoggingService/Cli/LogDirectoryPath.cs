using LoggingService.Files;

namespace LoggingService.Cli;

/// <summary>The paths of a command that reads logs.</summary>
internal static class LogDirectoryPath
{
    /// <exception cref="FatalException">There is no log directory.</exception>
    public static string Of(LoggingServiceOptions options) => Directory.Exists(options.Logs)
        ? options.Logs
        : throw new FatalException($"There is no log directory {options.Logs}. Name it with --logs FOLDER.");

    /// <summary>The name of the folder of a room that a user names.</summary>
    /// <param name="room">A room id, an alias with or without its server, or the name of the folder or the link.</param>
    /// <exception cref="FatalException">There is no such room.</exception>
    public static string OfRoom(string root, string room)
    {
        var localpart = room.StartsWith('#') ? room[1..].Split(':')[0] : room;
        foreach (var name in (string[])[room, room.StartsWith('!') ? FolderName.ForRoom(room) : FolderName.ForAlias(localpart)])
        {
            if (Path.GetFileName(name) == name && Directory.Exists(Path.Combine(root, name)))
            {
                return Path.GetFileName(new DirectoryInfo(Path.Combine(root, name)).LinkTarget ?? name);
            }
        }

        throw new FatalException($"There is no log of {room} in {root}");
    }
}
