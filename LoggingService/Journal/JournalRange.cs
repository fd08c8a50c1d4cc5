namespace LoggingService.Journal;

/// <summary>Durable frames of a range of sequences, to be read until this is disposed.</summary>
internal sealed class JournalRange(IReadOnlyList<JournalSegment> segments, long from, long through, Action dispose) : IDisposable
{
    /// <summary>The frames from a sequence on, or from the start of the range; may be read several times.</summary>
    public IEnumerable<JournalFrame> Frames(long notBefore = 0)
    {
        var first = Math.Max(from, notBefore);
        return segments.Where(segment => segment.LastSequence >= first).SelectMany(segment => segment.Read(first, through));
    }

    public void Dispose() => dispose();
}
