namespace LoggingService.Tests.Reliability;

/// <summary>The possible outcomes of a power cut for unsynced changes.</summary>
internal static class PowerCutOutcomes
{
    private const int Block = 4096;
    private const int Sector = 512;

    /// <summary>
    /// Outcomes for changes that aren't durable: none survives, all, those before a moment, any part of the writes, or any version of
    /// each block, torn.
    /// </summary>
    public static IEnumerable<DiskModel.Outcome> Create(Random random, long last)
    {
        yield return OfChanges(_ => null);
        yield return DiskModel.Outcome.All;
        var upTo = random.NextInt64(last + 1);
        yield return OfChanges(change => change.Number <= upTo ? change : null);
        for (var i = 0; i < Trial.Scale(1, 3); i++)
        {
            yield return OfChanges(Once(change => PickOutcome(change, random)));
            yield return OfBlocks(random);
        }
    }

    private static DiskModel.Outcome OfChanges(Func<DiskModel.Change, DiskModel.Change?> outcome) => new(
        change => outcome(change) is not null,
        (durable, changes) => DiskModel.Apply(durable, changes.Select(outcome).OfType<DiskModel.Change>()));

    /// <summary>
    /// Each block of a file as it was at any moment since it was durable, or with zeros for what was written since, or torn.
    /// </summary>
    private static DiskModel.Outcome OfBlocks(Random random)
    {
        var survives = Once(change => random.Next(2) == 0 ? change : null);
        var contents = new Dictionary<IReadOnlyList<DiskModel.Change>, byte[]>();
        return new(
            change => survives(change) is not null,
            (durable, changes) =>
            {
                if (!contents.TryGetValue(changes, out var content))
                {
                    content = TearBlocks(durable, changes, random);
                    contents[changes] = content;
                }

                return content;
            });
    }

    private static byte[] TearBlocks(byte[] durable, IReadOnlyList<DiskModel.Change> changes, Random random)
    {
        // Any length since the file was durable, the last one most often: the size may reach the disk without the blocks.
        var seen = random.Next(2) == 0 ? changes.Count : random.Next(changes.Count + 1);
        var content = new byte[DiskModel.Apply(durable, changes.Take(seen)).Length];
        for (var start = 0; start < content.Length; start += Block)
        {
            var block = content.AsSpan(start, Math.Min(Block, content.Length - start));
            var versions = VersionsOf(durable, changes, start);
            var first = versions[random.Next(versions.Count)];
            var second = versions[random.Next(versions.Count)];
            var tear = random.Next(3) switch
            {
                0 => Block,
                1 => random.Next(Block / Sector) * Sector,
                _ => random.Next(Block),
            };
            tear = Math.Min(tear, block.Length);
            first.AsSpan(0, tear).CopyTo(block);
            second.AsSpan(tear, block.Length - tear).CopyTo(block[tear..]);
        }

        return content;
    }

    /// <summary>The contents of a block since it was durable, and the durable one with zeros where anything was written since.</summary>
    private static List<byte[]> VersionsOf(byte[] durable, IReadOnlyList<DiskModel.Change> changes, int start)
    {
        var block = new byte[Block];
        durable.AsSpan(Math.Min(start, durable.Length)..Math.Min(start + Block, durable.Length)).CopyTo(block);
        var zeroed = block.ToArray();
        var versions = new List<byte[]> { block.ToArray() };
        foreach (var change in changes)
        {
            var (from, to) = change is DiskModel.Written written
                ? (written.Offset, written.Offset + written.Bytes.Length)
                : (((DiskModel.Resized)change).Length, long.MaxValue);
            var begin = (int)Math.Clamp(from - start, 0, Block);
            var end = (int)Math.Clamp(to - start, 0, Block);
            if (begin >= end)
                continue;
            if (change is DiskModel.Written { Bytes: var bytes })
                bytes.AsSpan((int)(start + begin - from), end - begin).CopyTo(block.AsSpan(begin));
            else
                block.AsSpan(begin).Clear();
            zeroed.AsSpan(begin, end - begin).Clear();
            versions.Add(block.ToArray());
        }

        if (versions.Count > 1)
            versions.Add(zeroed);
        return versions;
    }

    /// <summary>The same outcome whenever it is asked for again.</summary>
    private static Func<DiskModel.Change, DiskModel.Change?> Once(Func<DiskModel.Change, DiskModel.Change?> pick)
    {
        var outcomes = new Dictionary<long, DiskModel.Change?>();
        return change =>
        {
            if (!outcomes.TryGetValue(change.Number, out var outcome))
            {
                outcome = pick(change);
                outcomes[change.Number] = outcome;
            }

            return outcome;
        };
    }

    private static DiskModel.Change? PickOutcome(DiskModel.Change change, Random random)
    {
        if (change is not DiskModel.Written written)
            return random.Next(2) == 0 ? change : null;
        var sector = random.Next(2) == 0 ? Sector : Block;
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
                for (var page = cut; page < bytes.Length; page += Block)
                    if (random.Next(2) == 0)
                        bytes.AsSpan(page, Math.Min(Block, bytes.Length - page)).Clear();
                return written with { Bytes = bytes };
        }
    }
}
