using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LoggingService.RoomLogs;

/// <summary>
/// What the journal says of one file, put together: from <see cref="Start"/> on the file holds these bytes, and nothing
/// after them.
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
    public static Dictionary<string, FileRedo> Collect(IEnumerable<Journal.Redo> redos)
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
    /// Writes the bytes into the file where they belong, and syncs. Bytes that look right are written too: after a failed
    /// sync what a file shows need not be what the disk has. A file that is shorter than <see cref="Start"/>, because
    /// somebody cut it, is written on from where it ends: no holes. May be done again as often as it fails halfway.
    /// </summary>
    /// <param name="path">The file; it and its folder are made if they are missing.</param>
    /// <param name="isAll">Whether these are all the bytes that the file should have; else what stands after them stays.</param>
    public void Apply(string path, bool isAll)
    {
        Disk.CreateFolder(Path.GetDirectoryName(path)!);
        using var file = Disk.OpenOrCreate(path);
        var length = RandomAccess.GetLength(file);

        // A file that was cut has them where they were written before: once more would be twice.
        var start = length < Start + Bytes.Length && EndsWithBytes(file, length) ? length - Bytes.Length : Start;
        if (length < start)
        {
            MakeAnew(path);
            return;
        }

        RandomAccess.Write(file, Bytes, start);
        if (isAll)
        {
            RandomAccess.SetLength(file, start + Bytes.Length);
        }

        Disk.Sync(file, path);
    }

    /// <summary>
    /// Makes the file anew beside itself, from what was synced before and what the journal has, and puts it in its place.
    /// For a file whose sync failed: a second sync of the same pages would succeed and mean nothing; and for one that would
    /// not be known again if it were written to only in part.
    /// </summary>
    /// <param name="path">The file.</param>
    public void MakeAnew(string path) => MakeAnew(path, Start, Bytes);

    /// <summary>
    /// Makes a file anew beside itself, from its beginning and other bytes, and puts it in its place when it is durable:
    /// whatever happens meanwhile, it is as it was or as it should be.
    /// </summary>
    /// <param name="path">The file; it may be missing.</param>
    /// <param name="kept">How many bytes of it stay.</param>
    /// <param name="bytes">What follows them.</param>
    public static void MakeAnew(string path, long kept, ReadOnlySpan<byte> bytes)
    {
        var made = path + ".new";
        File.Delete(made);
        using (var target = Disk.OpenOrCreate(made))
        {
            var length = 0L;
            if (File.Exists(path))
            {
                using var source = Disk.OpenRead(path);
                var buffer = new byte[81920];
                int read;
                while (length < kept && (read = source.Read(buffer, 0, (int)Math.Min(buffer.Length, kept - length))) > 0)
                {
                    RandomAccess.Write(target, buffer.AsSpan(0, read), length);
                    length += read;
                }
            }

            RandomAccess.Write(target, bytes, length);
            Disk.Sync(target, made);
        }

        Disk.Rename(made, path);
        Disk.Sync(Path.GetDirectoryName(path)!);
    }

    private bool EndsWithBytes(SafeFileHandle file, long length)
    {
        if (length < Bytes.Length)
        {
            return false;
        }

        var end = new byte[Bytes.Length];
        var read = 0;
        for (int more; read < end.Length && (more = RandomAccess.Read(file, end.AsSpan(read), length - end.Length + read)) > 0;)
        {
            read += more;
        }

        return Bytes.SequenceEqual(end);
    }
}
