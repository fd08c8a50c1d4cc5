using System.IO.Hashing;
using System.Runtime.InteropServices;
using LoggingService.Events;
using LoggingService.Files;
using Microsoft.Win32.SafeHandles;

namespace LoggingService.RoomLogs;

/// <summary>
/// What the journal says of one file, put together: from <see cref="Start"/> on the file holds these bytes, which are whole
/// lines, and before them at most the line break of the line before.
/// </summary>
internal sealed class FileRedo
{
    private readonly List<byte> _bytes = [];

    private FileRedo(long start) => Start = start;

    /// <summary>The offset from which on the journal knows the file.</summary>
    public long Start { get; private set; }

    private ReadOnlySpan<byte> Bytes => CollectionsMarshal.AsSpan(_bytes);

    /// <summary>Puts frames together, file by file.</summary>
    /// <param name="redos">In the order in which they were written.</param>
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
                // Somebody cut or replaced the file meanwhile, which was noticed, and what was there synced: it begins again here.
                file.Start = redo.Offset;
            }

            // Where a batch failed after its frame was written, the next one stands at the same offset and overrules it.
            CollectionsMarshal.SetCount(file._bytes, (int)(redo.Offset - file.Start));
            file._bytes.AddRange(redo.Bytes.Span);
        }

        return files;
    }

    /// <summary>
    /// Writes the bytes into the file where they belong, cuts what stands after them, and syncs. Bytes that look right are
    /// written too: after a failed sync what a file shows need not be what the disk has. A file that somebody cut, replaced
    /// or edited keeps what it has and gets the lines that it lacks: no holes, no halves, nothing twice.
    /// </summary>
    /// <param name="path">The file; it and its folder are made if they are missing.</param>
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

        // Whole lines that follow are somebody's, or of a frame that the journal lost: they stay. Others were never acknowledged.
        if (!Bytes.SequenceEqual(there) || !EndsLine(file, RandomAccess.GetLength(file)))
        {
            RandomAccess.SetLength(file, Start + Bytes.Length);
        }

        Posix.Sync(file, path);
    }

    /// <summary>Whether the file is what it was when the process ended: it has the bytes, or the first of them.</summary>
    private bool IsWritten(SafeFileHandle file, ReadOnlySpan<byte> there) =>
        RandomAccess.GetLength(file) >= Start && BeginsLine(file) && Bytes.StartsWith(there);

    /// <summary>Whether it isn't the file that the bytes were made for: after a power cut it may lack some of them, or have others, but only from <see cref="Start"/> on.</summary>
    private bool WasTouched(SafeFileHandle file, string path)
    {
        if (RandomAccess.GetLength(file) < Start || !BeginsLine(file))
        {
            return true;
        }

        var places = Lines().DistinctBy(line => line.Key).ToDictionary(line => line.Key, line => line.Offset);
        return RecordReader.Lines(path).Any(line => places.TryGetValue(Key(line.Bytes), out var place) && place != line.Offset);
    }

    /// <summary>
    /// Makes the file anew: what somebody left in it stays as it is and in its order, and each of the bytes' lines that is
    /// missing comes before the next one that is there. So a line that somebody put into text and record stays in the same
    /// place of both.
    /// </summary>
    private void Merge(string path)
    {
        var ours = Lines().ToList();
        var missing = ours.Index().GroupBy(line => line.Item.Key, line => line.Index).ToDictionary(places => places.Key, places => new Queue<int>(places));
        var there = new List<(ReadOnlyMemory<byte> Line, int Place)>();
        foreach (var line in RecordReader.Lines(path))
        {
            if (missing.TryGetValue(Key(line.Bytes), out var places))
            {
                // One that is there more often than it should drops out.
                if (places.TryDequeue(out var place))
                {
                    there.Add((line.Bytes.ToArray(), place));
                }
            }
            else if (line.IsFinished || !path.EndsWith(".log", StringComparison.Ordinal))
            {
                // Half a line of a text is made again.
                there.Add((line.Bytes.ToArray(), -1));
            }
        }

        var toCome = new Queue<int>(missing.Values.SelectMany(places => places).Order());
        var made = path + ".new";
        File.Delete(made);
        using (var target = Posix.OpenOrCreate(made))
        {
            var length = 0L;
            foreach (var (line, place) in there)
            {
                AppendBefore(place);
                Append(line.Span);
            }

            AppendBefore(ours.Count);
            Posix.Sync(target, made);

            void AppendBefore(int place)
            {
                while (toCome.TryPeek(out var next) && next < place)
                {
                    Append(ours[toCome.Dequeue()].Line);
                }
            }

            void Append(ReadOnlySpan<byte> line)
            {
                RandomAccess.Write(target, [.. line, (byte)'\n'], length);
                length += line.Length + 1;
            }
        }

        Posix.Rename(made, path);
    }

    /// <summary>The lines of the bytes, without their line breaks, and where they belong.</summary>
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

    /// <summary>By what a line is known again: its event's id, where it has one.</summary>
    private static UInt128 Key(ReadOnlyMemory<byte> line) =>
        XxHash128.HashToUInt128(RoomEvent.EventIdOf(line) is { } id ? MemoryMarshal.AsBytes(id.AsSpan()) : line.Span);

    /// <summary>Whether the bytes go on after a whole line of the file, or give its last line the line break that it lacked.</summary>
    private bool BeginsLine(SafeFileHandle file) => EndsLine(file, Start) || Bytes is [(byte)'\n', ..];

    private static bool EndsLine(SafeFileHandle file, long offset)
    {
        var last = new byte[1];
        return offset == 0 || (RandomAccess.Read(file, last, offset - 1) == 1 && last[0] == '\n');
    }

    /// <summary>
    /// Makes the file anew beside itself, from what was synced before and what the journal has, and puts it in its place.
    /// For a file whose sync failed: a second sync of the same pages would succeed and mean nothing.
    /// </summary>
    /// <param name="path">The file.</param>
    public void MakeAnew(string path)
    {
        var made = path + ".new";
        File.Delete(made);
        using (var target = Posix.OpenOrCreate(made))
        {
            var length = 0L;
            if (File.Exists(path))
            {
                using var source = Posix.OpenRead(path);
                var buffer = new byte[81920];
                int read;
                while (length < Start && (read = source.Read(buffer, 0, (int)Math.Min(buffer.Length, Start - length))) > 0)
                {
                    RandomAccess.Write(target, buffer.AsSpan(0, read), length);
                    length += read;
                }
            }

            RandomAccess.Write(target, Bytes, length);
            Posix.Sync(target, made);
        }

        Posix.Rename(made, path);
        Posix.Sync(Path.GetDirectoryName(path)!);
    }
}
