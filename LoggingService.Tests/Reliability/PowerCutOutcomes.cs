namespace LoggingService.Tests.Reliability;

/// <summary>What becomes of that which was written and not synced.</summary>
internal static class PowerCutOutcomes
{
    /// <summary>What a power cut may do with changes that are not durable: nothing of them is there, all, those up to some moment, or any part, torn.</summary>
    /// <param name="random">Which part.</param>
    /// <param name="last">The number of the last change.</param>
    public static IEnumerable<Func<DiskModel.Change, DiskModel.Change?>> Of(Random random, long last)
    {
        yield return _ => null;
        yield return change => change;
        var upTo = random.NextInt64(last + 1);
        yield return change => change.Number <= upTo ? change : null;
        for (var i = 0; i < Trial.Scale(1, 3); i++)
        {
            var fates = new Dictionary<long, DiskModel.Change?>();
            yield return change => fates.TryGetValue(change.Number, out var fate) ? fate : fates[change.Number] = Fate(change, random);
        }
    }

    private static DiskModel.Change? Fate(DiskModel.Change change, Random random)
    {
        if (change is not DiskModel.Written written)
            return random.Next(2) == 0 ? change : null;
        var sector = random.Next(2) == 0 ? 512 : 4096;
        var cut = (int)Math.Clamp((((written.Offset + random.Next(written.Bytes.Length)) / sector) * sector) - written.Offset, 0, written.Bytes.Length);
        switch (random.Next(6))
        {
            case 0: return null;
            case 1: return change;
            case 2: return written with { Bytes = written.Bytes[..cut] };
            case 3: return written with { Bytes = [.. written.Bytes[..cut], .. new byte[written.Bytes.Length - cut]] };
            case 4: return written with { Bytes = new byte[written.Bytes.Length] };
            default:
                // Any of its pages, whatever their order.
                var bytes = written.Bytes.ToArray();
                for (var page = cut; page < bytes.Length; page += 4096)
                    if (random.Next(2) == 0)
                        bytes.AsSpan(page, Math.Min(4096, bytes.Length - page)).Clear();
                return written with { Bytes = bytes };
        }
    }
}
