using LoggingService.Files;
using LoggingService.Visibility;

namespace LoggingService.Search;

/// <summary>Brings the index up to date with the records of all rooms.</summary>
/// <param name="reportUnreadable">Receives the error of a record that can't be read; the others are indexed.</param>
internal sealed class IndexUpdate(string root, IndexTables tables, Action<string> reportUnreadable)
{
    private readonly Dictionary<string, RoomStamp> _seen = [];

    /// <summary>What tells whether a room has to be looked at: the time of its folder, and its newest record.</summary>
    private readonly record struct RoomStamp(long FolderModified, string? Newest, FileState? State);

    /// <summary>Indexes what has changed, in all rooms.</summary>
    /// <param name="hidden">Of these nothing is in the index.</param>
    /// <param name="isFull">Otherwise changes of older days are found only where files were created, replaced or removed.</param>
    /// <param name="onProgress">Receives how many days are done, and how many there are to do.</param>
    /// <param name="cancellation">Ends the work behind a batch of events; the next update continues it.</param>
    /// <exception cref="IOException">The log directory can't be read.</exception>
    public void Run(HiddenIds hidden, bool isFull, Action<int, int> onProgress, CancellationToken cancellation)
    {
        try
        {
            isFull |= new HiddenDays(root, tables).Mark(hidden);
            var stamps = new Dictionary<string, RoomStamp>();
            foreach (var folder in Folders())
            {
                var stamp = Stamp(folder);
                if (isFull || !_seen.TryGetValue(folder, out var seen) || seen != stamp)
                {
                    stamps.Add(folder, stamp);
                }
            }

            if (isFull)
            {
                RemoveRooms();
            }

            Index(stamps, hidden, onProgress, cancellation);
        }
        catch
        {
            _seen.Clear();
            tables.Writer.Clear();
            throw;
        }
    }

    private void Index(
        Dictionary<string, RoomStamp> stamps, HiddenIds hidden, Action<int, int> onProgress, CancellationToken cancellation)
    {
        var rooms = stamps.Keys.Order(StringComparer.Ordinal)
            .Select(folder => new RoomIndexing(tables, root, folder, hidden, reportUnreadable))
            .ToList();
        try
        {
            IndexRooms(rooms, onProgress, cancellation);
            foreach (var (folder, stamp) in stamps)
            {
                _seen[folder] = stamp;
            }
        }
        finally
        {
            foreach (var room in rooms)
            {
                room.Dispose();
            }
        }
    }

    private static void IndexRooms(List<RoomIndexing> rooms, Action<int, int> onProgress, CancellationToken cancellation)
    {
        foreach (var room in rooms)
        {
            cancellation.ThrowIfCancellationRequested();
            room.Start();
        }

        // In the order of time, which is that of rows: rows that are put between others leave space in the pages of the file.
        var days = rooms.SelectMany(room => room.Days.Select(day => (Day: day, Room: room))).OrderBy(day => day.Day).ToList();
        var done = 0;
        foreach (var (day, room) in days)
        {
            cancellation.ThrowIfCancellationRequested();
            room.IndexDay(day, cancellation);
            onProgress(++done, days.Count);
        }

        foreach (var room in rooms)
        {
            cancellation.ThrowIfCancellationRequested();
            room.Finish();
        }
    }

    /// <summary>Removes the rooms whose folders are gone.</summary>
    private void RemoveRooms()
    {
        var folders = Folders().ToHashSet();
        foreach (var (id, folder) in tables.Rooms.Rooms().Where(room => !folders.Contains(room.Folder)))
        {
            using (var room = new RoomIndexing(tables, root, folder, HiddenIds.None, reportUnreadable))
            {
                room.Start();
            }

            tables.Writer.InTransaction(() =>
            {
                Statement.Run(tables.Writer.Connection, $"DELETE FROM relation WHERE room = {id}");
                Statement.Run(tables.Writer.Connection, $"DELETE FROM room WHERE id = {id}");
            });
            _seen.Remove(folder);
        }
    }

    private IEnumerable<string> Folders() =>
        new DirectoryInfo(root).EnumerateDirectories("!*").Where(folder => folder.LinkTarget is null).Select(folder => folder.Name);

    private RoomStamp Stamp(string folder)
    {
        var path = Path.Combine(root, folder);
        var modified = Directory.GetLastWriteTimeUtc(path).Ticks;
        var newest = _seen.TryGetValue(folder, out var seen) && seen.FolderModified == modified ? seen.Newest : FindNewest(path);
        return new(modified, newest, newest is null ? null : FileState.Read(newest));
    }

    private static string? FindNewest(string path) =>
        DayFileName.In(path).Where(file => file.IsRecord).Max(file => (DateOnly?)file.Day) is { } day
            ? Path.Combine(path, DayFileName.Record(day).ToString())
            : null;
}
