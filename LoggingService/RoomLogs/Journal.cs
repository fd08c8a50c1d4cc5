using System.Globalization;
using LoggingService.Files;
using Microsoft.Win32.SafeHandles;

namespace LoggingService.RoomLogs;

/// <summary>
/// Physical redo log since the last checkpoint: a frame per batch, with name, offset and bytes for each file, so that one
/// fsync replaces those of the files. A segment is a file <c>.journal/000017</c> of <see cref="JournalFrames"/>. Not safe for
/// concurrent use: the log directory's gate is around it.
/// </summary>
internal sealed class Journal(string root) : IDisposable
{
    /// <summary>A segment must fit into memory to be read, even where checkpoints can't keep up.</summary>
    private const long LargestSegment = 256 * 1024 * 1024;
    private const int FrameKept = 1024 * 1024;
    private readonly string _folder = Path.Combine(root, ".journal");
    private readonly SpareSegment _spare = new(Path.Combine(root, ".journal"));
    private readonly MemoryStream _frame = new();
    private readonly HashSet<string> _named = [];
    private readonly Dictionary<string, Posix.FileIdentity> _written = [];
    private readonly HashSet<string> _suspects = [];

    // Read or written by this process. Any other belongs to a process started later.
    private readonly HashSet<string> _ours = [];
    private SafeFileHandle? _segment;
    private string _segmentPath = "";
    private Posix.FileIdentity _state;
    private long _end;
    private long _lastFrame;
    private int _lastNumber;

    public long Size => _segment is null ? 0 : _end;

    /// <summary>Whether segments may hold unacknowledged data: a checkpoint must remove them before the next frame.</summary>
    public bool IsSuspect => _suspects.Count > 0;

    /// <summary>Appends a frame of the files' pending bytes and syncs it: all are durable, or this throws and none is.</summary>
    /// <exception cref="IOException">The disk is full or failed, or the segment was removed.</exception>
    public void Commit(IEnumerable<DayFile> files)
    {
        if (Size > LargestSegment)
        {
            Close();
        }

        var frame = Frame(files);
        _segment ??= NewSegment();
        _lastFrame = _end;
        try
        {
            RandomAccess.Write(_segment, frame, _lastFrame);
        }
        catch
        {
            Void();
            throw;
        }

        try
        {
            Posix.Sync(_segment, _segmentPath);
            _end = _lastFrame + frame.Length;
            _state = _state with { Length = Math.Max(_state.Length, _end) };
            if (Posix.Stat(_segmentPath) != _state)
            {
                throw new IOException($"{_segmentPath} was moved, removed or changed during the write");
            }
        }
        catch
        {
            // After a failed fsync Linux marks the pages clean, so a retry would falsely succeed. The segment is read-only from now on.
            Abandon();
            throw;
        }

        _named.UnionWith(files.Select(file => file.Name));
    }

    /// <summary>Whether another process deleted, moved or resized the segment since the last frame.</summary>
    public bool IsTouched() => _segment is not null && Posix.Stat(_segmentPath) != _state;

    /// <summary>Records the state of a file that has all bytes that the segments hold for it.</summary>
    public void Wrote(string name, Posix.FileIdentity file) => _written[name] = file;

    /// <summary>False if the segments hold bytes of a file that another process changed since they were written.</summary>
    public bool IsAsWritten(string name) => StateOf(name) is not { } file || Posix.Stat(Path.Combine(root, name)) == file;

    /// <summary>The file after the last batch; <c>null</c> if the segments don't name it.</summary>
    public Posix.FileIdentity? StateOf(string name) => _written.TryGetValue(name, out var file) ? file : null;

    /// <summary>Truncates the last frame, after its batch failed.</summary>
    public void Void()
    {
        try
        {
            RandomAccess.SetLength(_segment!, _lastFrame);
            Posix.Sync(_segment!, _segmentPath);
            _end = _lastFrame;
            _state = _state with { Length = _lastFrame };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Abandon();
        }
    }

    /// <summary>Ends a segment that may hold unacknowledged data; the next frame needs a checkpoint first.</summary>
    public void Abandon()
    {
        _suspects.Add(_segmentPath);
        Close();
    }

    /// <summary>Ends the segment; returns this process's segments, oldest first, and the files named since the last call.</summary>
    public (IReadOnlyList<string> Segments, IReadOnlyList<string> Names) Seal()
    {
        Close();
        string[] names = [.. _named];
        _named.Clear();
        return (Segments().FindAll(_ours.Contains), names);
    }

    /// <summary>Removes segments of which every file is on the disk: those that <see cref="Seal"/> returned.</summary>
    public void Remove(IReadOnlyList<string> segments)
    {
        foreach (var segment in segments)
        {
            // After a replay or a failed fsync, zeros may not be all that follows the frames.
            if (_segmentPath.Length == 0 || _suspects.Contains(segment) || segment != segments[^1] || !_spare.TryKeep(segment))
            {
                File.Delete(segment);
            }

            // Durably removed before the next one: a segment that reappeared alone would truncate files that have grown since.
            _ours.Remove(segment);
            Posix.Sync(_folder);
        }

        _suspects.RemoveWhere(segment => !File.Exists(segment));
        foreach (var name in _written.Keys.Where(name => !_named.Contains(name)))
        {
            _written.Remove(name);
        }
    }

    /// <summary>Prepares the segment that was removed last for reuse; outside the gate.</summary>
    public void ClearSpare() => _spare.Clear();

    /// <summary>Reads all frames in order. A damaged segment has data after its frames: an fsync failed, or the disk lost data.</summary>
    public List<JournalFrames.Redo> Read(out List<string> damaged)
    {
        var redos = new List<JournalFrames.Redo>();
        var segments = Segments();
        damaged = [];
        foreach (var segment in segments)
        {
            _ours.Add(segment);
            var rest = JournalFrames.Read(File.ReadAllBytes(segment), redos);

            // The last segment may end in a partial frame, which was never acknowledged.
            if (!rest.IsEmpty && (segment != segments[^1] || JournalFrames.AreIn(rest)))
            {
                damaged.Add(segment);
            }
        }

        return redos;
    }

    public void Dispose()
    {
        Close();
        _spare.Remove();
    }

    private List<string> Segments() => !Directory.Exists(_folder) ? [] :
        [.. Directory.EnumerateFiles(_folder).Where(path => Number(path) is not null).OrderBy(Number)];

    private static int? Number(string path) =>
        int.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private SafeFileHandle NewSegment()
    {
        Posix.CreateFolder(_folder);

        // Numbers are never reused: a removed segment that a power cut brings back must be read before the newer ones.
        _lastNumber = Math.Max(_lastNumber, Segments().LastOrDefault() is { } last ? Number(last)!.Value : 0) + 1;
        _segmentPath = Path.Combine(_folder, $"{_lastNumber:D6}");
        _ours.Add(_segmentPath);
        _spare.TryTakeAs(_segmentPath);
        var segment = Posix.OpenOrCreate(_segmentPath);
        try
        {
            Posix.Sync(_folder);
            Posix.Sync(root);
            _end = 0;
            _state = Posix.Stat(segment, _segmentPath);
            return segment;
        }
        catch
        {
            segment.Dispose();
            throw;
        }
    }

    private void Close()
    {
        _segment?.Dispose();
        _segment = null;
    }

    private ReadOnlySpan<byte> Frame(IEnumerable<DayFile> files)
    {
        _frame.SetLength(0);
        if (_frame.Capacity > FrameKept)
        {
            _frame.Capacity = 0;
        }

        return JournalFrames.Write(_frame, files);
    }
}
