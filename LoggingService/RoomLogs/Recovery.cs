using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>Replays the journal into the files after a crash. Must succeed before the first write, and may be retried.</summary>
internal static partial class Recovery
{
    /// <summary>Applies all frames, syncs, and removes the segments; the journal must have no frame of this process.</summary>
    /// <exception cref="IOException">The replay failed; the journal is unchanged.</exception>
    public static void Run(string root, Journal journal, ILogger logger)
    {
        var redos = journal.Read(out var damaged);
        var (segments, _) = journal.Seal();
        if (segments.Count == 0)
        {
            return;
        }

        var files = FileRedo.Collect(redos);
        foreach (var (name, redo) in files)
        {
            redo.Apply(Path.Combine(root, name));
        }

        Posix.SyncFolders(root, files.Keys);
        foreach (var segment in damaged)
        {
            // Moved, not copied: the disk may be full.
            var kept = Path.Combine(root, Quarantine.Folder, $"journal-{Path.GetFileName(segment)}-{Guid.NewGuid():N}");
            Posix.CreateFolder(Path.GetDirectoryName(kept)!);
            Posix.Rename(segment, kept);
            Posix.Sync(Path.GetDirectoryName(kept)!);
            Posix.Sync(root);
            Log.Damaged(logger, segment, kept);
        }

        journal.Remove(segments);
        Log.Recovered(logger, files.Count);
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.JournalReplayCompleted, LogLevel.Information,
            "Journal replay completed {FileCount} files after an unclean shutdown")]
        public static partial void Recovered(ILogger logger, int fileCount);

        [LoggerMessage(EventIds.JournalDamaged, LogLevel.Error,
            "Journal segment {Segment} is damaged: an fsync failed, or the disk lost data. "
            + "Its readable part was replayed, some events may be missing. The segment was moved to {Kept}.")]
        public static partial void Damaged(ILogger logger, string segment, string kept);
    }
}
