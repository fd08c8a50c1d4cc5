using LoggingService.Files;
using LoggingService.Rendering;

namespace LoggingService.RoomLogs;

/// <summary>
/// Replaces lines of one day of a room: first the record, then the text, whose lines are rendered again from it; both keep their line
/// numbers, and stay compressed. Each file is replaced atomically. A crash leaves each of them old or new; the same run again ends the
/// work, and removes what is left of the old lines. The room's log must be closed.
/// </summary>
internal sealed class DayRewrite(RoomFolder folder, DateOnly day)
{
    private readonly string _record = folder.Record(day);
    private readonly string _text = folder.Text(day);
    private readonly LineBuffer _output = new();

    /// <param name="replaced">The lines of the record to replace, by index from 0, without line breaks.</param>
    /// <param name="rendered">The indices of lines of the text to render again.</param>
    /// <exception cref="IOException">A file can't be read or written.</exception>
    public void Run(IReadOnlyDictionary<int, byte[]> replaced, IReadOnlySet<int> rendered)
    {
        RemoveCopies();
        if (replaced.Count > 0)
        {
            // The ids are those of the old lines' offsets, and are built again.
            KnownEvents.Discard(folder.Path, day);
            Replace(_record, Lines(_record, replaced));
        }

        if (rendered.Count > 0 && DayFile.Find(_text) is not null && DayFile.Find(_record) is not null)
        {
            RenderText(rendered);
        }
    }

    /// <summary>
    /// Removes lines. A crash leaves the old record without a text, or the new one without a text or with its own, and the same run again
    /// ends the work.
    /// </summary>
    /// <exception cref="IOException">A file can't be read or written.</exception>
    public void Remove(Predicate<ReadOnlyMemory<byte>> isRemoved)
    {
        RemoveCopies();
        if (!RecordReader.Lines(_record).Any(line => isRemoved(line.Bytes)) && DayFile.Find(_text) is not null)
        {
            return;
        }

        if (DayFile.Find(_text) is { } text)
        {
            File.Delete(text);
            Posix.Sync(folder.Path);
        }

        KnownEvents.Discard(folder.Path, day);
        Replace(_record, RecordReader.Lines(_record).Select(line => line.Bytes).Where(line => !isRemoved(line)));
        Posix.OpenOrCreate(_text).Dispose();
        RenderText(new HashSet<int>());
    }

    /// <summary>
    /// Removes what may have the old lines: texts that were set aside, temporary files, and compressed copies of files that exist.
    /// </summary>
    private void RemoveCopies()
    {
        foreach (var name in DayFileName.In(folder.Path).Where(name => name.Day == day).ToList())
        {
            var isCopy = name.Suffix.StartsWith(".log.old", StringComparison.Ordinal)
                || name.Suffix.EndsWith(".new", StringComparison.Ordinal)
                || (name.IsCompressed && (name.IsRecord || name.IsText)
                    && File.Exists(Path.Combine(folder.Path, name.ToString()[..^DayFile.CompressedSuffix.Length])));
            if (isCopy)
            {
                File.Delete(Path.Combine(folder.Path, name.ToString()));
            }
        }

        Posix.Sync(folder.Path);
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Lines(string path, IReadOnlyDictionary<int, byte[]> replaced) =>
        RecordReader.Lines(path).Select((line, index) => replaced.TryGetValue(index, out var other) ? other : line.Bytes);

    private static void Replace(string path, IEnumerable<ReadOnlyMemory<byte>> lines)
    {
        var old = DayFile.Find(path)!;
        AtomicFile.Replace(old, Posix.LogFileMode, output =>
        {
            using var stream = new LinesStream(lines);
            if (old == path)
            {
                stream.CopyTo(output);
            }
            else
            {
                GzipMembers.Write(stream, output, CancellationToken.None);
            }

            output.Flush();
            File.SetLastWriteTimeUtc(output.SafeFileHandle, File.GetLastWriteTimeUtc(old));
        });
    }

    private void RenderText(IReadOnlySet<int> rendered)
    {
        using var record = DayFile.Open(_record);
        var known = KnownEvents.OpenHistory(folder.Path, day);
        var renderer = new LineRenderer(folder, record.ReadAt, known, pending: null);
        var isConsistent = RecordReader.Lines(_record).Count() == RecordReader.Lines(_text).Count(line => line.IsFinished);
        if (isConsistent)
        {
            var different = FindDifferent(renderer, rendered);
            if (different.Count > 0)
            {
                Replace(_text, Lines(_text, different));
            }
        }
        else
        {
            // Another program changed it: which line is of which event is not known.
            Replace(_text, RecordReader.Lines(_record).Select(line => Render(renderer, line, zone: null)));
        }

        known.Save(Posix.Stat(DayFile.Find(_record)!), Posix.Stat(_text));
    }

    /// <summary>The lines of the text that differ from those of the record rendered again.</summary>
    private Dictionary<int, byte[]> FindDifferent(LineRenderer renderer, IReadOnlySet<int> rendered)
    {
        var different = new Dictionary<int, byte[]>();
        var index = 0;
        foreach (var (line, text) in RecordReader.Lines(_record).Zip(RecordReader.Lines(_text)))
        {
            if (rendered.Contains(index))
            {
                var other = Render(renderer, line, LineRenderer.ZoneOf(text.Bytes.Span));
                if (!text.Bytes.Span.SequenceEqual(other.Span))
                {
                    different[index] = other.ToArray();
                }
            }

            index++;
        }

        return different;
    }

    private ReadOnlyMemory<byte> Render(LineRenderer renderer, RecordReader.Line line, TimeZoneInfo? zone)
    {
        _output.Clear();
        renderer.Render(_output, line, zone);
        return _output.WrittenMemory[..^1];
    }
}
