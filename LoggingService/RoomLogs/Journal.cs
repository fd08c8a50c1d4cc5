using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace LoggingService.RoomLogs;

/// <summary>
/// What was acknowledged since the last checkpoint, as physical redo: for each file that a batch touches its name, the
/// offset and the finished bytes, one frame a batch. One sync of the journal stands for the syncs of all those files.
/// <para>
/// A segment is a file <c>.journal/000017</c> of frames: payload length (4 bytes), XXH3 of the payload (8), payload. The
/// payload is, for each file: length of its name (2) and the name in UTF-8, the offset (8), the number of bytes (4), the
/// bytes. Integers are little-endian.
/// </para>
/// Not safe for concurrent use: the log directory's gate is around it.
/// </summary>
internal sealed class Journal(string root) : IDisposable
{
    private const int HeaderLength = 12;

    /// <summary>Where checkpoints can't keep up: a segment must fit into memory to be read.</summary>
    private const long LargestSegment = 256 * 1024 * 1024;
    private const int FrameKept = 1024 * 1024;
    private readonly string _folder = Path.Combine(root, ".journal");
    private readonly MemoryStream _frame = new();
    private readonly HashSet<string> _named = [];
    private readonly Dictionary<string, Disk.FileState> _written = [];
    private readonly HashSet<string> _suspects = [];

    // Read or written by this process. Any other is of one that writes here after us: not ours to remove.
    private readonly HashSet<string> _ours = [];
    private SafeFileHandle? _segment;
    private string _segmentPath = "";
    private Disk.FileState _state;
    private long _lastFrame;
    private int _lastNumber;

    /// <summary>Bytes of one file, as a frame has them.</summary>
    /// <param name="Name">The file's path within the log directory.</param>
    /// <param name="Offset">Where in the file the bytes stand.</param>
    /// <param name="Bytes">The bytes.</param>
    public readonly record struct Redo(string Name, long Offset, ReadOnlyMemory<byte> Bytes);

    /// <summary>Bytes in the segment that is written now.</summary>
    public long Size => _segment is null ? 0 : _state.Length;

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
        _lastFrame = _state.Length;
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
            Disk.Sync(_segment, _segmentPath);
            _state = _state with { Length = _lastFrame + frame.Length };
            if (Disk.Look(_segmentPath) != _state)
            {
                throw new IOException($"{_segmentPath} was moved, removed or changed by somebody else");
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
    public bool IsTouched() => _segment is not null && Disk.Look(_segmentPath) != _state;

    /// <summary>A file has all that the segments hold for it, and is this one.</summary>
    /// <param name="name">The file's path within the log directory.</param>
    /// <param name="file">What it is since then.</param>
    public void Wrote(string name, Disk.FileState file) => _written[name] = file;

    /// <summary>False if the segments hold bytes of a file that somebody touched since they were written: they are not its own any more.</summary>
    /// <param name="name">The file's path within the log directory.</param>
    public bool IsAsWritten(string name) => StateOf(name) is not { } file || Disk.Look(Path.Combine(root, name)) == file;

    /// <summary>The file as the last batch left it; <c>null</c> where the segments don't say.</summary>
    /// <param name="name">The file's path within the log directory.</param>
    public Disk.FileState? StateOf(string name) => _written.TryGetValue(name, out var file) ? file : null;

    /// <summary>Takes the last frame back: its batch failed after all, and will be sent again.</summary>
    public void Void()
    {
        try
        {
            RandomAccess.SetLength(_segment!, _lastFrame);
            Disk.Sync(_segment!, _segmentPath);
            _state = _state with { Length = _lastFrame };
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
            // Durably gone before the next one goes: a segment that came back alone would cut files that have grown since.
            File.Delete(segment);
            _ours.Remove(segment);
            Disk.Sync(_folder);
        }

        // One that somebody took away is gone, too.
        _suspects.RemoveWhere(segment => !File.Exists(segment));
        foreach (var name in _written.Keys.Where(name => !_named.Contains(name)))
        {
            _written.Remove(name);
        }
    }

    /// <summary>Reads every whole frame of every segment, in the order in which they were written.</summary>
    /// <param name="damaged">The segments with more after their last whole frame: a sync of theirs failed, or the disk lost something. The last one may end in a frame that was never acknowledged, with no whole frame after it.</param>
    public List<Redo> Read(out List<string> damaged)
    {
        var redos = new List<Redo>();
        var segments = Segments();
        damaged = [];
        foreach (var segment in segments)
        {
            var bytes = File.ReadAllBytes(segment).AsMemory();
            _ours.Add(segment);
            while (StartsWithFrame(bytes.Span, out var length))
            {
                ReadPayload(bytes.Slice(HeaderLength, length), redos);
                bytes = bytes[(HeaderLength + length)..];
            }

            if (!bytes.IsEmpty && (segment != segments[^1] || HasFrame(bytes.Span)))
            {
                damaged.Add(segment);
            }
        }

        return redos;
    }

    /// <inheritdoc/>
    public void Dispose() => Close();

    private List<string> Segments() => !Directory.Exists(_folder) ? [] :
        [.. Directory.EnumerateFiles(_folder).Where(path => Number(path) is not null).OrderBy(Number)];

    private static int? Number(string path) =>
        int.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private SafeFileHandle NewSegment()
    {
        Disk.CreateFolder(_folder);

        // Never a number again, as long as the process lives: a removed segment that a power cut brings back must be read before the newer ones.
        _lastNumber = Math.Max(_lastNumber, Segments().LastOrDefault() is { } last ? Number(last)!.Value : 0) + 1;
        _segmentPath = Path.Combine(_folder, _lastNumber.ToString("D6", CultureInfo.InvariantCulture));
        var segment = Disk.OpenOrCreate(_segmentPath);
        try
        {
            Disk.Sync(_folder);
            Disk.Sync(root);
            _state = Disk.Look(segment, _segmentPath);
            _ours.Add(_segmentPath);
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
        Span<byte> number = stackalloc byte[8];
        _frame.SetLength(0);
        if (_frame.Capacity > FrameKept)
        {
            _frame.Capacity = 0;
        }

        _frame.SetLength(HeaderLength);
        _frame.Position = HeaderLength;
        foreach (var file in files)
        {
            var name = Encoding.UTF8.GetBytes(file.Name);
            BinaryPrimitives.WriteUInt16LittleEndian(number, (ushort)name.Length);
            _frame.Write(number[..2]);
            _frame.Write(name);
            BinaryPrimitives.WriteInt64LittleEndian(number, file.Length);
            _frame.Write(number);
            BinaryPrimitives.WriteInt32LittleEndian(number, (int)file.Pending.Length);
            _frame.Write(number[..4]);
            _frame.Write(file.Pending.Span);
        }

        var frame = _frame.GetBuffer().AsSpan(0, (int)_frame.Length);
        BinaryPrimitives.WriteInt32LittleEndian(frame, frame.Length - HeaderLength);
        BinaryPrimitives.WriteUInt64LittleEndian(frame[4..], XxHash3.HashToUInt64(frame[HeaderLength..]));
        return frame;
    }

    private static bool StartsWithFrame(ReadOnlySpan<byte> bytes, out int length)
    {
        length = bytes.Length < HeaderLength ? 0 : BinaryPrimitives.ReadInt32LittleEndian(bytes);
        return length > 0
            && length <= bytes.Length - HeaderLength
            && BinaryPrimitives.ReadUInt64LittleEndian(bytes[4..]) == XxHash3.HashToUInt64(bytes.Slice(HeaderLength, length));
    }

    /// <summary>Whether a whole frame is somewhere in there. Text, read as a length, is more than there is: few are hashed.</summary>
    private static bool HasFrame(ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length > HeaderLength; bytes = bytes[1..])
        {
            if (StartsWithFrame(bytes, out _))
            {
                return true;
            }
        }

        return false;
    }

    private static void ReadPayload(ReadOnlyMemory<byte> payload, List<Redo> redos)
    {
        while (!payload.IsEmpty)
        {
            var nameLength = BinaryPrimitives.ReadUInt16LittleEndian(payload.Span);
            var name = Encoding.UTF8.GetString(payload.Span.Slice(2, nameLength));
            payload = payload[(2 + nameLength)..];
            var offset = BinaryPrimitives.ReadInt64LittleEndian(payload.Span);
            var length = BinaryPrimitives.ReadInt32LittleEndian(payload.Span[8..]);
            redos.Add(new(name, offset, payload.Slice(12, length)));
            payload = payload[(12 + length)..];
        }
    }
}
