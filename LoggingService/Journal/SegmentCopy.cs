using System.Buffers;

namespace LoggingService.Journal;

/// <summary>Copies of entries outside of the journal, and in a journal that starts again.</summary>
internal static class SegmentCopy
{
    /// <summary>Copies entries to new segments of other series, with their sequences; durable when this returns.</summary>
    /// <param name="targetOf">The series of an entry of a sequence; <c>null</c> if it is not copied.</param>
    public static void Run(IEnumerable<JournalFrame> frames, Func<long, JournalEntry, SegmentSeries?> targetOf)
    {
        var prepared = new Dictionary<SegmentSeries, JournalSegment>();
        try
        {
            var buffer = new ArrayBufferWriter<byte>();
            foreach (var frame in frames)
            {
                foreach (var copied in frame.Entries.GroupBy(entry => targetOf(frame.Sequence, entry)))
                {
                    if (copied.Key is not { } target)
                    {
                        continue;
                    }

                    if (!prepared.TryGetValue(target, out var segment))
                    {
                        prepared[target] = segment = target.Prepare();
                    }

                    JournalFrame.Begin(buffer);
                    foreach (var entry in copied)
                    {
                        entry.Write(buffer);
                    }

                    segment.Append(buffer, frame.Sequence);
                }
            }

            foreach (var (target, segment) in prepared)
            {
                target.Publish(segment);
                prepared.Remove(target);
            }
        }
        finally
        {
            foreach (var segment in prepared.Values)
            {
                segment.Dispose();
                File.Delete(segment.Path);
            }
        }
    }
}
