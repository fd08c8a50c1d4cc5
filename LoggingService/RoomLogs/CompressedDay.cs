using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>
/// Compresses a file of a day, and restores it. A file is deleted only where another one has its content and is synced; a crash leaves
/// both, of which the one as it was written counts (<see cref="DayFile"/>), until the next run.
/// </summary>
internal static class CompressedDay
{
    private const int Chunk = 64 * 1024;

    /// <summary>Writes the compressed copy of a file, and reads it back. The file stays.</summary>
    /// <exception cref="IOException">
    /// The copy can't be written, the file changed meanwhile, or an earlier copy has content that the file lacks: it stays then.
    /// </exception>
    public static void Copy(string path, CancellationToken cancellation)
    {
        var compressed = path + DayFile.CompressedSuffix;
        if (Posix.Stat(compressed) is not null && !IsStart(compressed, path))
        {
            throw new IOException($"{compressed} has content that {path} does not have");
        }

        AtomicFile.Replace(compressed, Posix.LogFileMode, output =>
        {
            using var input = Posix.OpenRead(path);
            GzipMembers.Write(input, output, cancellation);
            output.Flush();

            // As gzip does: the time is that of the newest event.
            File.SetLastWriteTimeUtc(output.SafeFileHandle, File.GetLastWriteTimeUtc(input.SafeFileHandle));
        });
        if (!IsStart(path, compressed) || !IsStart(compressed, path))
        {
            File.Delete(compressed);
            throw Changed(path);
        }
    }

    public static IOException Changed(string path) => new($"{path} changed while it was compressed");

    /// <summary>Restores the files of a day that is written to again.</summary>
    /// <exception cref="IOException">A file is damaged, or the disk is full.</exception>
    public static void Restore(RoomFolder folder, DateOnly day)
    {
        Restore(folder.Record(day));
        Restore(folder.Text(day));
    }

    /// <summary>Whether the content of a file begins with that of another one, either compressed or not.</summary>
    public static bool IsStart(string start, string path)
    {
        using var first = DayFile.OpenExactly(start);
        using var second = DayFile.OpenExactly(path);
        var expected = new byte[Chunk];
        var found = new byte[Chunk];
        for (var offset = 0L; ;)
        {
            var part = RecordReader.ReadAll(first.ReadAt, offset, expected);
            if (part.Length == 0)
            {
                return true;
            }

            if (!part.Span.SequenceEqual(RecordReader.ReadAll(second.ReadAt, offset, found.AsMemory(0, part.Length)).Span))
            {
                return false;
            }

            offset += part.Length;
        }
    }

    private static void Restore(string path)
    {
        if (DayFile.Find(path) is not { } compressed || compressed == path)
        {
            return;
        }

        AtomicFile.Replace(path, Posix.LogFileMode, output =>
        {
            using var input = DayFile.OpenExactly(compressed);
            var buffer = new byte[Chunk];
            var offset = 0L;
            for (int read; (read = input.ReadAt(offset, buffer)) > 0; offset += read)
            {
                output.Write(buffer, 0, read);
            }
        });
        File.Delete(compressed);
    }
}
