using System.Text;
using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>
/// Until when the history of rooms was erased: what is resent, fetched or backfilled of it is not logged again. A line of JSON for each
/// room in <c>logs/.erased</c>. Safe for concurrent use.
/// </summary>
internal sealed class ErasureMarks
{
    public const string FileName = ".erased";
    private readonly string _path;
    private volatile Dictionary<string, long> _until;

    /// <summary>Reads the marks of a log directory.</summary>
    /// <exception cref="IOException">The file exists, and can't be read.</exception>
    public ErasureMarks(string root)
    {
        _path = Path.Combine(root, FileName);
        _until = Read(_path);
    }

    /// <summary>Events with an earlier <c>origin_server_ts</c> were erased; <c>null</c> if the room has no mark.</summary>
    public long? Until(string roomId) => _until.TryGetValue(roomId, out var until) ? until : null;

    /// <summary>Whether an event belongs to the history that was erased.</summary>
    /// <param name="originServerTs">Of the event; without it, it is not covered.</param>
    public bool Covers(string roomId, long? originServerTs) => originServerTs < Until(roomId);

    /// <summary>Marks a room, durably. A mark never moves back.</summary>
    /// <param name="until">In milliseconds since 1970, exclusive.</param>
    /// <exception cref="IOException">The file can't be written.</exception>
    public void Add(string roomId, long until)
    {
        if (Until(roomId) >= until)
        {
            return;
        }

        var marks = new Dictionary<string, long>(_until) { [roomId] = until };
        AtomicFile.Replace(_path, Posix.LogFileMode, file =>
        {
            foreach (var (room, time) in marks)
            {
                file.Write(Encoding.ASCII.GetBytes($$"""{"room_id":"{{JsonString.Encode(room)}}","until":{{time}}}""" + "\n"));
            }
        });
        _until = marks;
    }

    private static Dictionary<string, long> Read(string path)
    {
        var marks = new Dictionary<string, long>();
        if (!File.Exists(path))
        {
            return marks;
        }

        foreach (var line in File.ReadLines(path))
        {
            if (RawJson.TryParse(Encoding.UTF8.GetBytes(line), out var json, out _)
                && json["room_id"u8].AsString() is { } roomId
                && json["until"u8].AsInteger() is { } until)
            {
                marks[roomId] = until;
            }
        }

        return marks;
    }
}
