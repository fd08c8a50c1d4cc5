using System.Globalization;
using LoggingService.Files;
using Microsoft.Win32.SafeHandles;

namespace LoggingService.RoomLogs;

/// <summary>
/// What was acknowledged since the last checkpoint, as physical redo: for each file that a batch touches its name, the
/// offset and the finished bytes, one frame a batch. One sync of the journal stands for the syncs of all those files.
/// A segment is a file <c>.journal/000017</c> of <see cref="JournalFrames"/>. Not safe for concurrent use: the log directory's gate is around it.
/// </summary>
internal sealed class Journal(string root) : IDisposable
{
    /// <summary>Where checkpoints can't keep up: a segment must fit into memory to be read.</summary>
    private const long LargestSegment = 256 * 1024 * 1024;
    private const int FrameKept = 1024 * 1024;
    private readonly string _folder = Path.Combine(root, ".journal");
    private readonly SpareSegment _spare = new(Path.Combine(root, ".journal"));
    private readonly MemoryStream _frame = new();
    private readonly HashSet<string> _named = [];
    private readonly Dictionary<string, Posix.FileIdentity> _written = [];
    private readonly HashSet<string> _suspects = [];

    // Read or written by this process. Any other is of one that writes here after us: not ours to remove.
    private readonly HashSet<string> _ours = [];
    private SafeFileHandle? _segment;
    private string _segmentPath = "";
    private Posix.FileIdentity _state;
    private long _end;
    private long _lastFrame;
    private int _lastNumber;

    /// <summary>Bytes of the frames in the segment that is written now.</summary>
    public long Size => _segment is null ? 0 : _end;

    /// <summary>True when what the segments hold can't be trusted to be only what was acknowledged: a checkpoint must empty them before the next frame.</summary>
    public bool IsSuspect => _suspects.Count > 0;

    /// <summary>
    /// Appends one frame of the files' pending bytes and syncs it: when this returns they are durable, all of them; when
    /// it throws none of them counts.
    /// </summary>
    /// <exception cref="IOException">The disk is full, failed, or the segment was taken away.</exception>
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
            // Linux has dropped the pages: a second sync would succeed and mean nothing. This segment is only read from now on.
            Abandon();
            throw;
        }

        _named.UnionWith(files.Select(file => file.Name));
    }

    /// <summary>Whether somebody deleted, moved, cut or lengthened the segment since the last frame: what is in it can't be read on from there.</summary>
    public bool IsTouched() => _segment is not null && Posix.Stat(_segmentPath) != _state;

    /// <summary>A file has all that the segments hold for it, and is this one.</summary>
    /// <param name="name">The file's path within the log directory.</param>
    /// <param name="file">What it is since then.</param>
    public void Wrote(string name, Posix.FileIdentity file) => _written[name] = file;

    /// <summary>False if the segments hold bytes of a file that somebody touched since they were written: they are not its own any more.</summary>
    /// <param name="name">The file's path within the log directory.</param>
    public bool IsAsWritten(string name) => StateOf(name) is not { } file || Posix.Stat(Path.Combine(root, name)) == file;

    /// <summary>The file as the last batch left it; <c>null</c> where the segments don't say.</summary>
    /// <param name="name">The file's path within the log directory.</param>
    public Posix.FileIdentity? StateOf(string name) => _written.TryGetValue(name, out var file) ? file : null;

    /// <summary>Takes the last frame back: its batch failed after all, and will be sent again.</summary>
    public void Void()
    {
        try
        {
            RandomAccess.SetLength(_segment!, _lastFrame);
            Posix.Sync(_segment!, _segmentPath);
            (_end, _state) = (_lastFrame, _state with { Length = _lastFrame });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Abandon();
        }
    }

    /// <summary>Ends the segment because it may hold what doesn't count; the next frame needs a checkpoint first.</summary>
    public void Abandon()
    {
        _suspects.Add(_segmentPath);
        Close();
    }

    /// <summary>Ends the segment: the next frame begins a new one, and a checkpoint can make those before it superfluous.</summary>
    /// <returns>All segments that were written or read by this process, oldest first, and the names of the files that frames named since the last call.</returns>
    public (IReadOnlyList<string> Segments, IReadOnlyList<string> Names) Seal()
    {
        Close();
        string[] names = [.. _named];
        _named.Clear();
        return (Segments().FindAll(_ours.Contains), names);
    }

    /// <summary>Removes segments of which every file is on the disk.</summary>
    /// <param name="segments">Those that <see cref="Seal"/> returned.</param>
    public void Remove(IReadOnlyList<string> segments)
    {
        foreach (var segment in segments)
        {
            // After a recovery, or where a sync failed, it need not be frames and then zeros.
            if (_segmentPath.Length == 0 || _suspects.Contains(segment) || segment != segments[^1] || !_spare.TryKeep(segment))
            {
                File.Delete(segment);
            }

            // Durably gone before the next one goes: a segment that came back alone would cut files that have grown since.
            _ours.Remove(segment);
            Posix.Sync(_folder);
        }

        // One that somebody took away is gone, too.
        _suspects.RemoveWhere(segment => !File.Exists(segment));
        foreach (var name in _written.Keys.Where(name => !_named.Contains(name)))
        {
            _written.Remove(name);
        }
    }

    /// <summary>Makes the segment that was removed last ready to be written again; beside the gate, by whoever removes them.</summary>
    public void ClearSpare() => _spare.Clear();

    /// <summary>Reads every whole frame of every segment, in the order in which they were written.</summary>
    /// <param name="damaged">The segments with more after their last whole frame: a sync of theirs failed, or the disk lost something. The last one may end in a frame that was never acknowledged, with no whole frame after it.</param>
    public List<JournalFrames.Redo> Read(out List<string> damaged)
    {
        var redos = new List<JournalFrames.Redo>();
        var segments = Segments();
        damaged = [];
        foreach (var segment in segments)
        {
            _ours.Add(segment);
            var rest = JournalFrames.Read(File.ReadAllBytes(segment), redos);
            if (!rest.IsEmpty && (segment != segments[^1] || JournalFrames.AreIn(rest)))
            {
                damaged.Add(segment);
            }
        }

        return redos;
    }

    /// <inheritdoc/>
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

        // Never a number again, as long as the process lives: a removed segment that a power cut brings back must be read before the newer ones.
        _lastNumber = Math.Max(_lastNumber, Segments().LastOrDefault() is { } last ? Number(last)!.Value : 0) + 1;
        _segmentPath = Path.Combine(_folder, _lastNumber.ToString("D6", CultureInfo.InvariantCulture));
        _ours.Add(_segmentPath);
        _spare.TryTakeAs(_segmentPath);
        var segment = Posix.OpenOrCreate(_segmentPath);
        try
        {
            Posix.Sync(_folder);
            Posix.Sync(root);
            (_end, _state) = (0, Posix.Stat(segment, _segmentPath));
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
