using System.Text;
using LoggingService.Files;

namespace LoggingService.Visibility;

/// <summary>
/// What an admin hid from all readers: <c>logs/.index/hidden.jsonl</c>, a line for each event, user or room. The records stay as they are.
/// </summary>
internal sealed class HiddenEvents(string root)
{
    public const string FolderName = ".index";

    private readonly string _path = Path.Combine(root, FolderName, "hidden.jsonl");
    private volatile Content _content = new(null, HiddenIds.None);

    /// <summary>Another value whenever something was hidden or shown again.</summary>
    public int Version { get; private set; }

    /// <summary>The state of the file that was read: another value whenever it changes, the same in another process.</summary>
    public string FileState => _content.State is { } state ? $"{state.File} {state.ModifiedAt.Ticks}" : "";

    /// <summary>As of the last refresh.</summary>
    public HiddenIds Current => _content.Ids;

    public bool HasEvent(string eventId) => Current.Events.Contains(eventId);

    public bool HasUser(string? userId) => Current.HasUser(userId);

    public bool HasRoom(string roomId) => Current.Rooms.Contains(roomId);

    /// <summary>Reads the file if it changed.</summary>
    /// <exception cref="IOException">It can't be read.</exception>
    public void Refresh()
    {
        var state = State.Of(_path);
        if (state == _content.State)
        {
            return;
        }

        var (events, users, rooms) = (new HashSet<string>(), new HashSet<string>(), new HashSet<string>());
        foreach (var line in state is null ? [] : File.ReadAllLines(_path))
        {
            if (RawJson.TryParse(Encoding.UTF8.GetBytes(line), out var json, out _))
            {
                AddTo(events, json["event"u8]);
                AddTo(users, json["user"u8]);
                AddTo(rooms, json["room"u8]);
            }
        }

        _content = new(state, new(events, users, rooms));
        Version++;
    }

    /// <summary>Hides something, or shows it again; returns whether that changed anything.</summary>
    /// <param name="kind"><c>event</c>, <c>user</c> or <c>room</c>.</param>
    /// <exception cref="IOException">The file can't be written.</exception>
    public bool Set(string kind, string id, bool isHidden)
    {
        var line = $"{{\"{kind}\":\"{JsonString.Encode(id)}\"}}";
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

        Posix.CreateFolder(Path.GetDirectoryName(_path)!);
        AtomicFile.Replace(_path, Posix.LogFileMode, file =>
        {
            foreach (var kept in lines)
            {
                file.Write(Encoding.ASCII.GetBytes($"{kept}\n"));
            }
        });
        return true;
    }

    private static void AddTo(HashSet<string> ids, RawJson id)
    {
        if (id.AsString() is { } text)
        {
            ids.Add(text);
        }
    }

    private sealed record Content(State? State, HiddenIds Ids);

    private sealed record State(Posix.FileIdentity File, DateTime ModifiedAt)
    {
        public static State? Of(string path) => Posix.Stat(path) is { } file ? new(file, System.IO.File.GetLastWriteTimeUtc(path)) : null;
    }
}
