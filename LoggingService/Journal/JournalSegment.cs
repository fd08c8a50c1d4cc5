using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.IO.Hashing;
using LoggingService.Files;
using LoggingService.Metrics;
using Microsoft.Win32.SafeHandles;

namespace LoggingService.Journal;

/// <summary>
/// One file of the journal, <c>.journal/000017</c>: a header in the first block, then frames. The header: magic (4 bytes), version (4),
/// number (8), salt (8), checksum of these (8). The magic, read as a frame length of the format of version 0.1, is negative: that version
/// refuses the file instead of misreading it. The file stays open until it is dropped: its frames can be read even if it was moved.
/// </summary>
internal sealed class JournalSegment : IDisposable
{
    private const int HeaderLength = 32;
    private const int LegacyFrameLength = 13;
    private const uint Version = 1;
    private readonly SafeFileHandle _file;
    private Posix.FileIdentity _identity;
    private long _appended;

    private JournalSegment(string path, long number, ulong salt, SafeFileHandle file)
    {
        Path = path;
        Number = number;
        Salt = salt;
        End = JournalFrame.Block;
        _file = file;
        _identity = Posix.Stat(file, path);
    }

    private static ReadOnlySpan<byte> Magic => [(byte)'L', (byte)'S', (byte)'J', 0xFF];

    public string Path { get; private set; }

    /// <summary>Names the file; higher in each later segment.</summary>
    public long Number { get; }

    /// <summary>Random; seeds the checksum of each frame.</summary>
    public ulong Salt { get; }

    /// <summary>The offset of the next frame.</summary>
    public long End { get; private set; }

    /// <summary>The sequence of the last durable frame; 0 if there is none.</summary>
    public long LastSequence { get; private set; }

    /// <summary>Nothing is appended anymore.</summary>
    public bool IsSealed { get; set; }

    /// <summary>A write or a sync failed: the content of the file is not what was written to it.</summary>
    public bool HasFailed { get; private set; }

    public static string Name(long number) => number.ToString("D6", CultureInfo.InvariantCulture);

    /// <summary>The segments in a folder, oldest first.</summary>
    public static List<(string Path, long Number)> Find(string folder)
    {
        var segments = new List<(string Path, long Number)>();
        foreach (var path in Directory.Exists(folder) ? Directory.EnumerateFiles(folder) : [])
        {
            if (long.TryParse(System.IO.Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                segments.Add((path, number));
            }
        }

        return [.. segments.OrderBy(segment => segment.Number)];
    }

    /// <summary>Whether a file has a header of this format.</summary>
    public static bool HasHeader(string path)
    {
        using var file = Posix.OpenOrCreate(path);
        return JournalReader.Read(file, 0, Magic.Length).AsSpan().SequenceEqual(Magic);
    }

    /// <summary>
    /// Starts a segment in a new or zeroed file. Its header becomes durable with the first frame; its name is the caller's to sync.
    /// </summary>
    public static JournalSegment Create(string path, long number)
    {
        var file = Posix.OpenOrCreate(path);
        try
        {
            var header = new byte[HeaderLength + LegacyFrameLength];
            Magic.CopyTo(header);
            BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(4), Version);
            BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(8), number);
            NewSalt().CopyTo(header.AsSpan(16));
            BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(24), XxHash3.HashToUInt64(header.AsSpan(0, 24)));
            WriteLegacyFrame(header.AsSpan(HeaderLength));
            RandomAccess.Write(file, header, 0);
            return new(path, number, BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(16)), file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Eight bytes that no sender of events can predict. Without OpenSSL, which would take 4 MB of memory.</summary>
    private static ReadOnlySpan<byte> NewSalt() => Guid.NewGuid().ToByteArray().AsSpan(8);

    /// <summary>Opens a segment to read it.</summary>
    /// <param name="damaged">Receives the file's bytes if its header is damaged; a header of zeros means that it has no frames.</param>
    public static JournalSegment Open(string path, long number, Action<DamagedBytes> damaged)
    {
        var file = Posix.OpenOrCreate(path);
        try
        {
            var header = JournalReader.Read(file, 0, JournalFrame.Block);
            if (!header.AsSpan().ContainsAnyExcept((byte)0))
            {
                return new(path, number, 0, file);
            }

            if (header.Length < HeaderLength
                || !header.AsSpan().StartsWith(Magic)
                || BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(24)) != XxHash3.HashToUInt64(header.AsSpan(0, 24)))
            {
                damaged(JournalReader.ReadDamage(file, path, 0, RandomAccess.GetLength(file)));
                return new(path, number, 0, file);
            }

            if (BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(4)) != Version)
            {
                throw new ConfigurationException(
                    $"LoggingService:Logs: a newer version of LoggingService wrote {path}. Start that version.");
            }

            // A recycled file whose new header never reached the disk has the number of its earlier use: it has no frames.
            var isOurs = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(8)) == number;
            return new(path, number, isOurs ? BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(16)) : 0, file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Appends a frame that <see cref="JournalFrame.Begin"/> started; it isn't durable before <see cref="Sync"/>.</summary>
    /// <exception cref="JournalMovedException">The file was changed: a write behind its end would leave a hole.</exception>
    /// <exception cref="IOException">The write failed: nothing must be appended to this segment anymore.</exception>
    public void Append(ArrayBufferWriter<byte> buffer, long sequence)
    {
        Verify();
        HasFailed = true;
        _appended = sequence;
        var frame = JournalFrame.End(buffer, sequence, Salt);
        RandomAccess.Write(_file, frame, End);
        _identity = _identity with { Length = Math.Max(_identity.Length, End + frame.Length) };
        End = JournalFrame.AlignUp(End + frame.Length);
        HasFailed = false;
    }

    /// <exception cref="JournalMovedException">The path leads to another file: the folder was moved, removed or changed.</exception>
    public void Verify()
    {
        // The length after a failed write is unknown.
        var file = Posix.Stat(Path);
        if (file?.IsSameFileAs(_identity) != true || (!HasFailed && file != _identity))
        {
            throw new JournalMovedException($"{Path} was moved, removed or changed by another program");
        }
    }

    /// <summary>Deletes the file, unless another one took its path.</summary>
    public void Delete()
    {
        if (Posix.Stat(Path)?.IsSameFileAs(_identity) == true)
        {
            File.Delete(Path);
        }
    }

    /// <summary>Makes the appended frames durable.</summary>
    /// <exception cref="JournalMovedException">As for <see cref="Verify"/>.</exception>
    /// <exception cref="IOException">The sync failed. Linux marks the pages as clean, so another sync would falsely succeed.</exception>
    public void Sync()
    {
        HasFailed = true;
        var startedAt = Stopwatch.GetTimestamp();
        Posix.SyncData(_file, Path);
        ServiceMetrics.RecordSync(startedAt);
        LastSequence = _appended;
        HasFailed = false;
        Verify();
    }

    /// <summary>Renames the file; the caller syncs the folder.</summary>
    public void MoveTo(string path)
    {
        Posix.Rename(Path, path);
        Path = path;
    }

    /// <summary>Reads the frames of an opened segment behind a sequence, and finds its last one (<see cref="JournalReader"/>).</summary>
    public IEnumerable<JournalFrame> Replay(long after, Action<DamagedBytes> damaged)
    {
        foreach (var (frame, end) in JournalReader.ReadFrames(_file, Path, Salt, after, damaged))
        {
            LastSequence = frame.Sequence;
            End = end;
            yield return frame;
        }
    }

    /// <summary>Reads durable frames of a range of sequences; also while another thread appends.</summary>
    public IEnumerable<JournalFrame> Read(long from, long through) =>
        JournalReader.ReadFrames(_file, Path, Salt, after: from - 1, damaged: static _ => { })
            .Select(item => item.Frame)
            .TakeWhile(frame => frame.Sequence <= Math.Min(through, LastSequence));

    public void Dispose() => _file.Dispose();

    /// <summary>
    /// Writes a frame of version 0.1 behind the header. That version deletes a segment in which it finds no frame, and moves one in
    /// which it finds a frame behind the start to the quarantine: an admin who goes back to it loses nothing.
    /// </summary>
    private static void WriteLegacyFrame(Span<byte> frame)
    {
        frame[0] = 1;
        frame[12] = (byte)'\n';
        BinaryPrimitives.WriteUInt64LittleEndian(frame[4..], XxHash3.HashToUInt64(frame[12..]));
    }
}
