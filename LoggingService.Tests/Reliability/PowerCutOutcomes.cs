namespace LoggingService.Tests.Reliability;

/// <summary>The possible outcomes of a power cut for unsynced changes.</summary>
internal static class PowerCutOutcomes
{
    /// <summary>Outcomes for changes that aren't durable: none survives, all, those before a moment, or any part, torn.</summary>
    public static IEnumerable<Func<DiskModel.Change, DiskModel.Change?>> Create(Random random, long last)
    {
        yield return _ => null;
        yield return change => change;
        var upTo = random.NextInt64(last + 1);
        yield return change => change.Number <= upTo ? change : null;
        for (var i = 0; i < Trial.Scale(1, 3); i++)
        {
            var outcomes = new Dictionary<long, DiskModel.Change?>();
            yield return change =>
            {
                if (!outcomes.TryGetValue(change.Number, out var outcome))
                {
                    outcome = PickOutcome(change, random);
                    outcomes[change.Number] = outcome;
                }

                return outcome;
            };
        }
    }

    private static DiskModel.Change? PickOutcome(DiskModel.Change change, Random random)
    {
        if (change is not DiskModel.Written written)
            return random.Next(2) == 0 ? change : null;
        var sector = random.Next(2) == 0 ? 512 : 4096;
        var boundary = (written.Offset + random.Next(written.Bytes.Length)) / sector * sector;
        var cut = (int)Math.Clamp(boundary - written.Offset, 0, written.Bytes.Length);
        switch (random.Next(6))
        {
            case 0: return null;
            case 1: return change;
            case 2: return written with { Bytes = written.Bytes[..cut] };
            case 3: return written with { Bytes = [.. written.Bytes[..cut], .. new byte[written.Bytes.Length - cut]] };
            case 4: return written with { Bytes = new byte[written.Bytes.Length] };
            default:
                // Any subset of the pages.
                var bytes = written.Bytes.ToArray();
                for (var page = cut; page < bytes.Length; page += 4096)
                    if (random.Next(2) == 0)
                        bytes.AsSpan(page, Math.Min(4096, bytes.Length - page)).Clear();
                return written with { Bytes = bytes };
        }
    }
}
