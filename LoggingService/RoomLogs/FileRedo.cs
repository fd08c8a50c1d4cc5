using System.IO.Hashing;
using System.Runtime.InteropServices;
using LoggingService.Files;
using Microsoft.Win32.SafeHandles;

namespace LoggingService.RoomLogs;

/// <summary>The journal's bytes of one file: complete lines, after at most the line break of the previous one.</summary>
internal sealed class FileRedo
{
    private readonly List<byte> _bytes = [];

    private FileRedo(long start) => Start = start;

    public long Start { get; private set; }

    private ReadOnlySpan<byte> Bytes => CollectionsMarshal.AsSpan(_bytes);

    /// <summary>Merges frames, in their order, by file.</summary>
    public static Dictionary<string, FileRedo> Collect(IEnumerable<JournalFrames.Redo> redos)
    {
        var files = new Dictionary<string, FileRedo>();
        foreach (var redo in redos)
        {
            if (!files.TryGetValue(redo.Name, out var file))
            {
                files[redo.Name] = file = new(redo.Offset);
            }

            if (redo.Offset < file.Start || redo.Offset > file.Start + file._bytes.Count)
            {
                // The file was cut or replaced; that was detected, and its content synced: it starts over here.
                file.Start = redo.Offset;
            }

            // Where a batch failed after its frame was written, the next one stands at the same offset and overrules it.
            CollectionsMarshal.SetCount(file._bytes, (int)(redo.Offset - file.Start));
            file._bytes.AddRange(redo.Bytes.Span);
        }

        return files;
    }

    /// <summary>
    /// Writes the bytes at their offset, truncates the file after them, and syncs. Equal bytes are rewritten: after a failed
    /// fsync the page cache may differ from the disk. A file that was cut, replaced or edited keeps its lines and gets the
    /// missing ones: no holes, no partial lines, no duplicates.
    /// </summary>
    public void Apply(string path)
    {
        Posix.CreateFolder(Path.GetDirectoryName(path)!);
        using var file = Posix.OpenOrCreate(path);
        var there = new byte[Math.Max(0, Math.Min(Bytes.Length, RandomAccess.GetLength(file) - Start))];
        RandomAccess.Read(file, there, Start);
        if (!IsWritten(file, there) && WasTouched(file, path))
        {
            Merge(path);
            return;
        }

        RandomAccess.Write(file, Bytes, Start);

        // Complete lines that follow are an admin's, or of a frame that the journal lost: keep them. Others were never acknowledged.
        if (!Bytes.SequenceEqual(there) || !EndsLine(file, RandomAccess.GetLength(file)))
        {
            RandomAccess.SetLength(file, Start + Bytes.Length);
        }

        Posix.Sync(file, path);
    }

    /// <summary>Whether the file is as the process left it: it has the bytes, or a prefix of them.</summary>
    private bool IsWritten(SafeFileHandle file, ReadOnlySpan<byte> there) =>
        RandomAccess.GetLength(file) >= Start && BeginsLine(file) && Bytes.StartsWith(there);

    /// <summary>Whether it isn't the file that the bytes belong to. A power cut changes a file only from <see cref="Start"/> on.</summary>
    private bool WasTouched(SafeFileHandle file, string path)
    {
        if (RandomAccess.GetLength(file) < Start || !BeginsLine(file))
        {
            return true;
        }

        var places = Lines().DistinctBy(line => line.Key).ToDictionary(line => line.Key, line => line.Offset);
        return RecordReader.Lines(path).Any(line => places.TryGetValue(Key(line.Bytes), out var place) && place != line.Offset);
    }

    // Existing lines keep their order, and each missing line is inserted before the next one that exists, so that a line that an
    // admin added to text and record keeps the same place in both.
    private void Merge(string path)
    {
        var ours = Lines().ToList();
        var missing = ours.Index()
            .GroupBy(line => line.Item.Key, line => line.Index)
            .ToDictionary(places => places.Key, places => new Queue<int>(places));
        var there = new List<(ReadOnlyMemory<byte> Line, int Place)>();
        foreach (var line in RecordReader.Lines(path))
        {
            if (missing.TryGetValue(Key(line.Bytes), out var places))
            {
                // Duplicates are dropped.
                if (places.TryDequeue(out var place))
                {
                    there.Add((line.Bytes.ToArray(), place));
                }
            }
            else if (line.IsFinished || !path.EndsWith(".log", StringComparison.Ordinal))
            {
                // An incomplete line of a text is rendered again.
                there.Add((line.Bytes.ToArray(), -1));
            }
        }

        var toCome = new Queue<int>(missing.Values.SelectMany(places => places).Order());
        AtomicFile.Replace(path, Posix.LogFileMode, target =>
        {
            foreach (var (line, place) in there)
            {
                AppendBefore(place);
                Append(line.Span);
            }

            AppendBefore(ours.Count);

            void AppendBefore(int place)
            {
                while (toCome.TryPeek(out var next) && next < place)
                {
                    Append(ours[toCome.Dequeue()].Line);
                }
            }

            void Append(ReadOnlySpan<byte> line)
            {
                target.Write(line);
                target.WriteByte((byte)'\n');
            }
        });
    }

    private IEnumerable<(UInt128 Key, byte[] Line, long Offset)> Lines()
    {
        for (int start = 0, length; start < Bytes.Length && (length = Bytes[start..].IndexOf((byte)'\n')) >= 0; start += length + 1)
        {
            if (length > 0)
            {
                var line = Bytes.Slice(start, length).ToArray();
                yield return (Key(line), line, Start + start);
            }
        }
    }

    /// <summary>Identifies a line: by the id of its event, if it has one.</summary>
    private static UInt128 Key(ReadOnlyMemory<byte> line) =>
        XxHash128.HashToUInt128(RoomEvent.GetEventId(line) is { } id ? MemoryMarshal.AsBytes(id.AsSpan()) : line.Span);

    /// <summary>Whether the bytes start after a complete line of the file, or complete its last line.</summary>
    private bool BeginsLine(SafeFileHandle file) => EndsLine(file, Start) || Bytes is [(byte)'\n', ..];

    private static bool EndsLine(SafeFileHandle file, long offset)
    {
        var last = new byte[1];
        return offset == 0 || (RandomAccess.Read(file, last, offset - 1) == 1 && last[0] == '\n');
    }

    /// <summary>Rebuilds a file whose fsync failed from its synced part and the journal; a retried fsync would falsely succeed.</summary>
    public void MakeAnew(string path) => AtomicFile.Replace(path, Posix.LogFileMode, target =>
    {
        if (File.Exists(path))
        {
            using var source = Posix.OpenRead(path);
            var buffer = new byte[81920];
            int read;
            while (target.Length < Start && (read = source.Read(buffer, 0, (int)Math.Min(buffer.Length, Start - target.Length))) > 0)
            {
                target.Write(buffer, 0, read);
            }
        }

        target.Write(Bytes);
    });
}
