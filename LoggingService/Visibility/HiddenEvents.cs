using System.Security.Cryptography;
using System.Text;
using LoggingService.Files;

namespace LoggingService.Visibility;

/// <summary>
/// What an admin hid from all readers: <c>logs/.index/hidden.jsonl</c>, a line for each event, user or room. The records stay as they are.
/// While the file can't be read, it is not known what is hidden: no room is shown.
/// </summary>
internal sealed class HiddenEvents(string root)
{
    public const string FolderName = ".index";

    private readonly string _path = PathOf(root);
    private volatile Content _content = Content.Unknown;

    /// <summary>False until the file was read, and while it can't be read.</summary>
    public bool IsKnown => _content != Content.Unknown;

    /// <summary>Another value whenever something was hidden or shown again. The same content has the same value in each process.</summary>
    public string Version => _content.Version;

    public static string PathOf(string root) => Path.Combine(root, FolderName, "hidden.jsonl");

    /// <summary>As of the last refresh.</summary>
    public HiddenIds Current => _content.Ids;

    public bool HasEvent(string eventId) => Current.Events.Contains(eventId);

    public bool HasEvent(IdHash e) => Current.HasEvent(e);

    public bool HasUser(string? userId) => Current.HasUser(userId);

    public bool HasRoom(string roomId) => Current.Rooms.Contains(roomId);

    /// <summary>Reads the file if it changed. One call at a time.</summary>
    /// <exception cref="IOException">It can't be read, or a line of it is not valid: no room is shown.</exception>
    public void Refresh()
    {
        try
        {
            var state = State.Of(_path);
            if (!IsKnown || state != _content.State)
            {
                _content = Read(state);
            }
        }
        catch
        {
            _content = Content.Unknown;
            throw;
        }
    }

    /// <summary>Hides something, or shows it again; returns whether that changed anything.</summary>
    /// <param name="kind"><c>event</c>, <c>user</c> or <c>room</c>.</param>
    /// <exception cref="IOException">The file can't be written.</exception>
    public bool Set(string kind, string id, bool isHidden)
    {
        var line = $"{{\"{kind}\":\"{JsonString.Encode(id)}\"}}";
        var folder = Path.GetDirectoryName(_path)!;
        Posix.CreateFolder(folder);
        var owner = FileOwner.Of(folder);
        using var locked = FileLock.Acquire($"{_path}.lock", owner);
        List<string> lines = Path.Exists(_path) ? [.. File.ReadAllLines(_path)] : [];
        if (lines.Contains(line) == isHidden)
        {
            return false;
        }

        if (isHidden)
        {
            lines.Add(line);
        }
        else
        {
            lines.RemoveAll(other => other == line);
        }

        AtomicFile.Replace(_path, Posix.LogFileMode, file =>
        {
            owner?.ApplyTo(file.SafeFileHandle, _path);
            foreach (var kept in lines)
            {
                file.Write(Encoding.ASCII.GetBytes($"{kept}\n"));
            }
        });
        return true;
    }

    private Content Read(State? state)
    {
        var lines = state is null ? [] : File.ReadAllLines(_path);
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', lines)));
        var (events, users, rooms) = (new HashSet<string>(), new HashSet<string>(), new HashSet<string>());
        for (var i = 0; i < lines.Length; i++)
        {
            if (!RawJson.TryParse(Encoding.UTF8.GetBytes(lines[i]), out var json, out _))
            {
                throw new IOException($"Line {i + 1} of {_path} is not valid.");
            }

            AddTo(events, json["event"u8]);
            AddTo(users, json["user"u8]);
            AddTo(rooms, json["room"u8]);
        }

        return new(state, Convert.ToHexStringLower(hash), new(events, users, rooms));
    }

    private static void AddTo(HashSet<string> ids, RawJson id)
    {
        if (id.AsString() is { } text)
        {
            ids.Add(text);
        }
    }

    private sealed record Content(State? State, string Version, HiddenIds Ids)
    {
        public static Content Unknown { get; } = new(null, "", HiddenIds.None);
    }

    private sealed record State(Posix.FileIdentity File, DateTime ModifiedAt)
    {
        public static State? Of(string path) => Posix.Stat(path) is { } file ? new(file, System.IO.File.GetLastWriteTimeUtc(path)) : null;
    }
}
