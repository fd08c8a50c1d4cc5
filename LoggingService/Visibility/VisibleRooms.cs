using LoggingService.RoomLogs;

namespace LoggingService.Visibility;

/// <summary>
/// The rooms of a log directory, as readers may see them. A request is answered from what the last refresh has found: for a room that a
/// reader may not see, no file is opened.
/// </summary>
internal sealed partial class VisibleRooms(string root, ILogger<VisibleRooms> logger)
{
    /// <summary>How many of the earlier days of all rooms are looked at in one refresh.</summary>
    private const int DaysInTurn = 2000;

    private readonly Dictionary<string, RoomScan> _scans = [];
    private readonly RecordIds _ids = new();
    private readonly HashSet<string> _failed = [];
    private volatile Snapshot _snapshot = new([], []);
    private volatile bool _isRead;
    private string _hiddenVersion = "";
    private bool _isHiddenFailed;

    /// <summary>Raised after a refresh that found changes.</summary>
    public event Action? Changed;

    /// <summary>What is hidden from all readers.</summary>
    public HiddenEvents Hidden { get; } = new(root);

    /// <summary>All rooms were read once, and it is known what is hidden.</summary>
    public bool IsReady => _isRead && Hidden.IsKnown;

    /// <summary>The rooms of which a reader may see something, in no order.</summary>
    public IEnumerable<RoomVisibility> All(Reader reader) => _snapshot.Rooms.Values.Where(room => room.MayRead(reader));

    /// <summary>A room that a reader may see; <c>null</c> if there is none.</summary>
    /// <param name="name">A room id, or the name of the link of an alias.</param>
    public RoomVisibility? Find(Reader reader, string name)
    {
        var snapshot = _snapshot;
        var id = snapshot.Links.GetValueOrDefault(name, name);
        return snapshot.Rooms.TryGetValue(id, out var room) && room.MayRead(reader) ? room : null;
    }

    /// <summary>The room before or after an upgrade of this one; <c>null</c> if there is none that the reader may see.</summary>
    /// <param name="link">That in the room's folder: <see cref="UpgradeLinks.Previous"/> or <see cref="UpgradeLinks.Next"/>.</param>
    /// <exception cref="IOException">The link can't be read.</exception>
    public RoomVisibility? FindUpgrade(Reader reader, RoomVisibility room, string link)
    {
        var folder = Path.GetFileName(new FileInfo(Path.Combine(root, room.FolderName, link)).LinkTarget);
        return folder is null ? null : All(reader).FirstOrDefault(other => other.FolderName == folder && other.Days.Count > 0);
    }

    /// <summary>Reads what is hidden, which counts at once: rooms may take long to read. One call at a time.</summary>
    public void RefreshHidden()
    {
        try
        {
            Hidden.Refresh();
            _isHiddenFailed = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!_isHiddenFailed)
            {
                Log.HiddenNotRead(logger, HiddenEvents.PathOf(root), e.Message);
            }

            _isHiddenFailed = true;
        }
    }

    /// <summary>Reads what changed in the rooms. One call at a time.</summary>
    public void Refresh()
    {
        var hiddenVersion = Hidden.Version;
        var isChanged = hiddenVersion != _hiddenVersion || !_isRead;
        _hiddenVersion = hiddenVersion;
        var links = new Dictionary<string, List<string>>();
        var folders = new HashSet<string>();
        Try(root, () => List(links, folders));
        foreach (var folder in folders)
        {
            isChanged |= Refresh(folder, links.GetValueOrDefault(folder) ?? [], Math.Max(1, DaysInTurn / folders.Count));
        }

        foreach (var removed in _scans.Keys.Except(folders).ToList())
        {
            _scans.Remove(removed);
            isChanged = true;
        }

        if (isChanged)
        {
            Publish();
        }
    }

    private void List(Dictionary<string, List<string>> links, HashSet<string> folders)
    {
        foreach (var entry in new DirectoryInfo(root).EnumerateDirectories())
        {
            if (entry.LinkTarget is { } target)
            {
                if (!links.TryGetValue(target, out var names))
                {
                    links.Add(target, names = []);
                }

                names.Add(entry.Name);
            }
            else if (entry.Name.StartsWith('!'))
            {
                folders.Add(entry.Name);
            }
        }
    }

    private bool Refresh(string folder, List<string> links, int turns)
    {
        if (!_scans.TryGetValue(folder, out var scan))
        {
            _scans.Add(folder, scan = new(Path.Combine(root, folder), Hidden, _ids));
        }

        links.Sort(StringComparer.Ordinal);
        var (before, isChanged) = (scan.Current, false);
        Try(folder, () => isChanged = scan.Refresh(links, turns));
        return isChanged || before != scan.Current;
    }

    private void Publish()
    {
        var rooms = new Dictionary<string, RoomVisibility>();
        var links = new Dictionary<string, string>();
        foreach (var room in _scans.Values.Select(scan => scan.Current).OfType<RoomVisibility>())
        {
            // Two folders of one room can only be a copy.
            if (rooms.TryAdd(room.RoomId, room))
            {
                foreach (var link in room.Links)
                {
                    links[link] = room.RoomId;
                }
            }
        }

        _snapshot = new(rooms, links);
        _isRead = true;
        Changed?.Invoke();
    }

    /// <summary>A failure is logged once.</summary>
    private void Try(string what, Action action)
    {
        try
        {
            action();
            _failed.Remove(what);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            if (_failed.Add(what))
            {
                Log.NotRead(logger, what, e.Message);
            }
        }
#pragma warning disable CA1031 // A bug in what is read of one room.
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (_failed.Add(what))
            {
                Log.Bug(logger, what, e);
            }
        }
    }

    private sealed record Snapshot(Dictionary<string, RoomVisibility> Rooms, Dictionary<string, string> Links);

    private static partial class Log
    {
        [LoggerMessage(EventIds.RoomNotRead, LogLevel.Warning,
            "Failed to read {Folder}: {Reason} Nothing of it is shown until it can be read.")]
        public static partial void NotRead(ILogger logger, string folder, string reason);

        [LoggerMessage(EventIds.VisibilityBug, LogLevel.Error,
            "Failed to read {Folder}. Nothing of it is shown. This is a bug in LoggingService, please report it.")]
        public static partial void Bug(ILogger logger, string folder, Exception bug);

        [LoggerMessage(EventIds.HiddenNotRead, LogLevel.Error,
            "Failed to read {File}: {Reason} No room is shown until it can be read.")]
        public static partial void HiddenNotRead(ILogger logger, string file, string reason);
    }
}
