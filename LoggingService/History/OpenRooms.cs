using System.Globalization;
using System.Text;
using LoggingService.Files;

namespace LoggingService.History;

/// <summary>A room whose history is to be compared with its log.</summary>
/// <param name="Folder">The name of its folder.</param>
/// <param name="DueAt">When it is compared, in milliseconds since 1970.</param>
/// <param name="Delay">How long it was delayed after the last failure.</param>
internal sealed record OpenRoom(string Folder, GapRound Round, long DueAt = 0, long Delay = 0);

/// <summary>
/// The rooms that are to be compared. One that fails is retried after 30 s, 1, 2, at most 60 min, from its own time on, and delays no other
/// room. <c>logs/.history/open</c> has a line for each that is left after a round: the time and the folder. Used by one task at a time.
/// </summary>
internal sealed class OpenRooms(LoggingServiceOptions options)
{
    private static readonly long MinDelay = (long)TimeSpan.FromSeconds(30).TotalMilliseconds;
    private static readonly long MaxDelay = (long)TimeSpan.FromHours(1).TotalMilliseconds;

    private readonly string _path = Path.Combine(options.Logs, CheckedTime.FolderName, "open");
    private readonly Dictionary<string, OpenRoom> _rooms = [];
    private string _saved = "";

    /// <summary>Reads what an earlier process left.</summary>
    public void Load()
    {
        try
        {
            _saved = File.Exists(_path) ? File.ReadAllText(_path) : "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return;
        }

        foreach (var line in _saved.Split('\n'))
        {
            var space = Math.Max(line.IndexOf(' ', StringComparison.Ordinal), 0);
            if (long.TryParse(line.AsSpan(0, space), CultureInfo.InvariantCulture, out var since))
            {
                Add(line[(space + 1)..], new(since));
            }
        }
    }

    /// <summary>Adds a room, which is due at once; one that is there has to be compared for both rounds.</summary>
    public void Add(string folder, GapRound round)
    {
        var room = _rooms.GetValueOrDefault(folder) ?? new(folder, round);
        _rooms[folder] = room with { Round = GapRound.Merge(room.Round, round)!, DueAt = 0 };
    }

    public void Remove(string folder) => _rooms.Remove(folder);

    public void Postpone(string folder, long now)
    {
        var room = _rooms[folder];
        var delay = Math.Clamp(room.Delay * 2, MinDelay, MaxDelay);
        _rooms[folder] = room with { DueAt = now + delay, Delay = delay };
    }

    public bool AnyDue(long now) => _rooms.Values.Any(room => room.DueAt <= now);

    public IReadOnlyList<OpenRoom> FindDue(long now) => [.. _rooms.Values.Where(room => room.DueAt <= now)];

    /// <summary>Writes the file, durably, if it changed; false if it can't be written.</summary>
    public bool TrySave()
    {
        var lines = string.Concat(_rooms.Values.Select(room => string.Create(
            CultureInfo.InvariantCulture, $"{room.Round.Since} {room.Folder}\n")));
        if (lines == _saved)
        {
            return true;
        }

        try
        {
            Posix.CreateFolder(Path.GetDirectoryName(_path)!);
            AtomicFile.Replace(_path, Posix.LogFileMode, file => file.Write(Encoding.UTF8.GetBytes(lines)));
            _saved = lines;
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A full disk.
            return false;
        }
    }
}
