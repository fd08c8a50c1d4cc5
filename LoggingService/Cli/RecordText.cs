using System.IO.Compression;
using LoggingService.Rendering;
using LoggingService.RoomLogs;

namespace LoggingService.Cli;

/// <summary>The text of records, from any source: the same lines as in a day's text.</summary>
internal sealed class RecordText(TextWriter output, TimeZoneInfo zone, TextWriter errors)
{
    private readonly Dictionary<string, EventsInMemory> _rooms = [];
    private readonly LineBuffer _line = new();

    private static readonly byte[] GzipBeginning = [0x1F, 0x8B];

    // The first bytes of files of gzip, zstd, xz and bzip2.
    private static readonly byte[][] CompressedBeginnings =
        [GzipBeginning, [0x28, 0xB5, 0x2F, 0xFD], [0xFD, 0x37, 0x7A, 0x58], "BZh"u8.ToArray()];

    /// <summary>Reads a record that later lines may refer to.</summary>
    public void ReadBefore(string path)
    {
        foreach (var line in Lines(path))
        {
            if (RoomEvent.FromRecord(line) is { } e)
            {
                HistoryOf(e).Add(e.Copy());
            }
        }
    }

    /// <exception cref="FatalException">
    /// The output can't be written, or the input is compressed: gzip is read from a file only, other formats are not.
    /// </exception>
    public void Write(string path)
    {
        foreach (var line in Lines(path))
        {
            _line.Clear();
            var e = RoomEvent.FromRecord(line);
            if (e is null)
            {
                _line.Append(LogLine.NoEvent);
            }
            else
            {
                Render(e);
                HistoryOf(e).Add(e.Copy());
            }

            Put(() => output.Write(Utf8Text.Decode(_line.Written)));
        }
    }

    /// <exception cref="FatalException">The output can't be written.</exception>
    public void Flush() => Put(output.Flush);

    /// <summary>An error of the output must not be taken for one of a record.</summary>
    private static void Put(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FatalException($"Failed to write to standard output: {e.Message}");
        }
    }

    /// <summary>A record's lines, without the byte order mark that an editor may have added. It may be a pipe.</summary>
    private static IEnumerable<ReadOnlyMemory<byte>> Lines(string path)
    {
        using var file = File.OpenRead(path);
        using var content = IsGzip(file) ? new GZipStream(file, CompressionMode.Decompress) : (Stream)file;
        foreach (var line in RecordReader.Lines(content))
        {
            if (line.Offset == 0 && CompressedBeginnings.Any(beginning => line.Bytes.Span.StartsWith(beginning)))
            {
                throw new FatalException($"{path} is compressed. Decompress it first: zcat FILE.gz | LoggingService render -");
            }

            yield return line.Offset == 0 && line.Bytes.Span.StartsWith("\uFEFF"u8) ? line.Bytes["\uFEFF"u8.Length..] : line.Bytes;
        }
    }

    /// <summary>Whether a file is compressed by gzip; a pipe can't be read twice.</summary>
    private static bool IsGzip(FileStream file)
    {
        if (!file.CanSeek)
        {
            return false;
        }

        var start = new byte[GzipBeginning.Length];
        var isGzip = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length && start.SequenceEqual(GzipBeginning);
        file.Position = 0;
        return isGzip;
    }

    private void Render(RoomEvent e)
    {
        try
        {
            LogLine.Write(_line, e, HistoryOf(e), zone);
        }
#pragma warning disable CA1031 // Any bug in rendering.
        catch (Exception bug)
#pragma warning restore CA1031
        {
            errors.WriteLine(
                $"Failed to render event {SafeText.EventId(Utf8Text.From(e.EventId))} in {SafeText.RoomId(Utf8Text.From(e.RoomId))}; "
                + $"its line shows the raw content. This is a bug in LoggingService, please report it: {bug}");
            _line.Clear();
            LogLine.WriteFallback(_line, e, zone);
        }
    }

    private EventsInMemory HistoryOf(RoomEvent e)
    {
        if (!_rooms.TryGetValue(e.RoomId, out var history))
        {
            history = new();
            _rooms.Add(e.RoomId, history);
        }

        return history;
    }
}
