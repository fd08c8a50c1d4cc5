using System.Globalization;
using System.Text;
using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>
/// Removes old days (<see cref="Retention"/>), and notes before which day: what is fetched does not bring them back. <c>logs/.removed</c>
/// has a line for all rooms, and one for each room of which more was removed. Read by any thread.
/// </summary>
internal sealed class RemovedDays
{
    public const string FileName = ".removed";
    private const string Format = "yyyy-MM-dd";
    private const int DayLength = 10;
    private const string AllRooms = "*";
    private readonly string _root;
    private readonly string _path;
    private readonly TimeProvider _time;
    private volatile Dictionary<string, DateOnly> _firstKept = [];

    /// <summary>Reads the days of a log directory.</summary>
    /// <exception cref="IOException">The file exists, and can't be read.</exception>
    public RemovedDays(string root, TimeProvider time)
    {
        _time = time;
        _root = root;
        _path = Path.Combine(root, FileName);
        foreach (var line in File.Exists(_path) ? File.ReadLines(_path) : [])
        {
            var date = line[..Math.Min(line.Length, DayLength)];
            if (line.Length > DayLength
                && DateOnly.TryParseExact(date, Format, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
            {
                _firstKept[line[(DayLength + 1)..]] = day;
            }
        }
    }

    /// <summary>Whether our user is a member of the room of a folder.</summary>
    public Predicate<string> IsMember { private get; set; } = static _ => false;

    /// <summary>Called with the name of a room's folder before its days are removed.</summary>
    public Action<string, IReadOnlyCollection<DateOnly>> Removing { private get; set; } = static (_, _) => { };

    /// <summary>Called with the name of a room's folder after its last file was removed.</summary>
    public Action<string> FolderRemoved { private get; set; } = static _ => { };

    /// <summary>The first day of a room that was not removed; <c>null</c> if none was.</summary>
    /// <param name="folder">The name of the room's folder.</param>
    public DateOnly? FindFirstKept(string folder)
    {
        var (ofAll, own) = (Find(AllRooms), Find(folder));
        return own > ofAll ? own : ofAll ?? own;
    }

    /// <summary>As <see cref="Retention.RemoveDaysBefore"/>. One caller at a time.</summary>
    /// <param name="folder">The name of a room's folder; <c>null</c> for all rooms.</param>
    public int RemoveDaysBefore(DateOnly keepFrom, string? folder)
    {
        var isNoted = true;
        var removed = Retention.RemoveDaysBefore(
            _root, keepFrom, folder, removing: () => isNoted = TryAdd(keepFrom, folder), name => IsMember(name), Removing,
            FolderRemoved);
        if (!isNoted)
        {
            // The disk was full, and the removal has made room.
            TryAdd(keepFrom, folder);
        }

        return removed;
    }

    private bool TryAdd(DateOnly keepFrom, string? folder)
    {
        try
        {
            Add(keepFrom, folder);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Notes, durably, that days are removed. It never moves back.</summary>
    private void Add(DateOnly keepFrom, string? folder)
    {
        if (FindFirstKept(folder ?? AllRooms) >= keepFrom)
        {
            return;
        }

        var days = _firstKept.Where(room => folder is not null || room.Value > keepFrom).ToDictionary();
        days[folder ?? AllRooms] = keepFrom;
        AtomicFile.Replace(_path, Posix.LogFileMode, file =>
        {
            foreach (var (room, day) in days)
            {
                file.Write(Encoding.UTF8.GetBytes($"{day.ToString(Format, CultureInfo.InvariantCulture)} {room}\n"));
            }
        });
        _firstKept = days;
    }

    /// <summary>A day after today comes of a clock that was wrong, and does not count.</summary>
    private DateOnly? Find(string folder) =>
        _firstKept.TryGetValue(folder, out var day) && day <= DateOnly.FromDateTime(_time.GetLocalNow().DateTime) ? day : null;
}
