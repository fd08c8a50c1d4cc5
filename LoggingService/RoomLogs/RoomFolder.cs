using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>A room's folder in the log directory.</summary>
/// <param name="Zone">The zone that lines are rendered in.</param>
internal sealed partial record RoomFolder(string Root, string RoomId, TimeZoneInfo Zone, ILogger Logger)
{
    /// <summary>The link to the text of the newest day.</summary>
    public const string Latest = "latest.log";

    /// <summary>What the service keeps of the room next to its log.</summary>
    public const string Properties = "room.json";

    /// <summary>Events with an earlier <c>origin_server_ts</c> are not logged (<see cref="ErasureMarks"/>).</summary>
    public long? ErasedUntil { get; init; }

    public string Path { get; } = System.IO.Path.Combine(Root, FolderName.ForRoom(RoomId));

    public string Record(DateOnly day) => System.IO.Path.Combine(Path, DayFileName.Record(day).ToString());

    public string Text(DateOnly day) => System.IO.Path.Combine(Path, DayFileName.Text(day).ToString());

    /// <summary>The newest day before another one that has a record in a folder; <c>null</c> if there is none.</summary>
    public static DateOnly? NewestDayBefore(string folder, DateOnly day) =>
        DayFileName.In(folder).Where(name => name.IsRecord && name.Day < day).Max(name => (DateOnly?)name.Day);

    /// <summary>
    /// Points <c>latest.log</c> to a day; returns whether it does. A failure is logged: the room is logged without it.
    /// </summary>
    /// <param name="isLogged">Whether a failure is logged: not for a retry.</param>
    /// <param name="movesBack">Also where it points to a later day.</param>
    public bool LinkLatest(DateOnly day, bool isLogged, bool movesBack)
    {
        var link = System.IO.Path.Combine(Path, Latest);
        try
        {
            if (!movesBack
                && DayFileName.Parse(new FileInfo(link).LinkTarget) is { } latest && latest.Day > day && File.Exists(Text(latest.Day)))
            {
                return false;
            }

            SymbolicLink.Replace(link, DayFileName.Text(day).ToString());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (isLogged)
            {
                Log.LinkFailed(Logger, link, e.Message);
            }

            return false;
        }

        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.LatestLinkFailed, LogLevel.Warning, "Failed to create the link {Link}: {Reason}. The room is logged.")]
        public static partial void LinkFailed(ILogger logger, string link, string reason);
    }
}
