using System.Buffers;
using LoggingService.Files;

namespace LoggingService.Journal;

/// <summary>
/// Replaces entries in the segments of a series: new segments are written next to the old ones, which takes long, and then put in their
/// places. Each is the old or the new one, also after a crash.
/// </summary>
/// <param name="rewrite">Called once for each entry, in order. Returns the entry to keep; <c>null</c> drops it.</param>
internal sealed class SegmentRewrite(SegmentSeries series, Func<JournalEntry, JournalEntry?> rewrite) : IDisposable
{
    private readonly HashSet<JournalSegment> _read = [];

    /// <summary>The segments that change, with their new ones; <c>null</c> for one of which nothing is left.</summary>
    private readonly Dictionary<JournalSegment, JournalSegment?> _replaced = [];

    /// <summary>Reads the segments that were added since the last call, and writes those that change.</summary>
    /// <exception cref="IOException">They can't be read or written; the old ones stay.</exception>
    public void Prepare()
    {
        foreach (var segment in series.Segments.Where(_read.Add))
        {
            try
            {
                Prepare(segment);
            }
            catch (Exception e) when (e is ObjectDisposedException or IOException && !series.Segments.Contains(segment))
            {
                // It was dropped meanwhile, maybe with the folder: the files have its entries.
            }
        }
    }

    /// <summary>Puts the new segments in place, durably; false if a segment was added meanwhile. No segment must be added now.</summary>
    /// <exception cref="IOException">Some may be in place.</exception>
    public bool TryApply()
    {
        var segments = series.Segments;
        if (segments.Any(segment => !_read.Contains(segment)))
        {
            return false;
        }

        foreach (var old in segments.Where(_replaced.ContainsKey))
        {
            _replaced.Remove(old, out var prepared);
            series.Replace(old, prepared);
        }

        if (Directory.Exists(series.Folder))
        {
            Posix.Sync(series.Folder);
        }

        return true;
    }

    /// <summary>Removes what was not put in place.</summary>
    public void Dispose()
    {
        foreach (var prepared in _replaced.Values.OfType<JournalSegment>())
        {
            prepared.Dispose();
            try
            {
                File.Delete(prepared.Path);
            }
            catch (DirectoryNotFoundException)
            {
                // It was removed with its folder.
            }
        }
    }

    private void Prepare(JournalSegment segment)
    {
        // Few entries change, and a segment may be large.
        var changed = new Dictionary<(long Sequence, int Index), JournalEntry?>();
        var isEmpty = true;
        foreach (var frame in segment.Read(0, long.MaxValue))
        {
            foreach (var (index, entry) in frame.Entries.Index())
            {
                var kept = rewrite(entry);
                isEmpty &= kept is null;
                if (!ReferenceEquals(kept, entry))
                {
                    changed[(frame.Sequence, index)] = kept;
                }
            }
        }

        if (changed.Count > 0)
        {
            _replaced[segment] = isEmpty ? null : Write(segment, changed);
        }
    }

    private static JournalSegment Write(JournalSegment segment, Dictionary<(long Sequence, int Index), JournalEntry?> changed)
    {
        var copy = SegmentSeries.PrepareFor(segment);
        try
        {
            var buffer = new ArrayBufferWriter<byte>();
            foreach (var frame in segment.Read(0, long.MaxValue))
            {
                var kept = frame.Entries.Select((entry, index) => changed.GetValueOrDefault((frame.Sequence, index), entry))
                    .OfType<JournalEntry>()
                    .ToList();
                if (kept.Count > 0)
                {
                    JournalFrame.Begin(buffer);
                    kept.ForEach(entry => entry.Write(buffer));
                    copy.Append(buffer, frame.Sequence);
                }
            }

            copy.Sync();
            return copy;
        }
        catch
        {
            copy.Dispose();
            File.Delete(copy.Path);
            throw;
        }
    }
}
