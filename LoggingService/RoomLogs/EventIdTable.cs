namespace LoggingService.RoomLogs;

/// <summary>The hash of an id, with a random seed: no sender can choose ids that collide.</summary>
internal delegate ulong EventIdHash(string id, ulong seed);

/// <summary>The hash of an id, and the offset of the event's line, plus one: zero is a free slot.</summary>
internal readonly record struct EventIdEntry(ulong Hash, long OffsetPlusOne);

/// <summary>A packed hash table. It grows by a quarter, one of 16 partitions at a time: at most 25 bytes an entry with all copies.</summary>
internal sealed class EventIdTable(ulong seed)
{
    private const int Partitions = 16;
    private readonly EventIdEntry[][] _partitions = [.. Enumerable.Range(0, Partitions).Select(_ => new EventIdEntry[4])];
    private readonly int[] _counts = new int[Partitions];

    public ulong Seed => seed;

    public long Size => _partitions.Sum(entries => entries.LongLength * 16);

    public long? Get(ulong hash)
    {
        var entry = Slot(_partitions[Partition(hash)], hash);
        return entry.OffsetPlusOne == 0 ? null : entry.OffsetPlusOne - 1;
    }

    public void Set(ulong hash, long offset)
    {
        ref var entries = ref _partitions[Partition(hash)];
        if (Slot(entries, hash).OffsetPlusOne == 0 && ++_counts[Partition(hash)] > entries.Length * 9L / 10)
        {
            var larger = new EventIdEntry[(int)(entries.Length * 5L / 4) + 1];
            foreach (var entry in entries.Where(entry => entry.OffsetPlusOne != 0))
            {
                Slot(larger, entry.Hash) = entry;
            }

            entries = larger;
        }

        Slot(entries, hash) = new(hash, offset + 1);
    }

    public EventIdEntry[] ToSortedArray()
    {
        var sorted = _partitions.SelectMany(entries => entries).Where(entry => entry.OffsetPlusOne != 0).ToArray();
        Array.Sort(sorted, static (a, b) => a.Hash.CompareTo(b.Hash));
        return sorted;
    }

    private static int Partition(ulong hash) => (int)(hash / ((ulong.MaxValue / Partitions) + 1));

    private static ref EventIdEntry Slot(EventIdEntry[] entries, ulong hash)
    {
        var slot = (int)(((hash & uint.MaxValue) * (ulong)entries.Length) >> 32);
        while (entries[slot].OffsetPlusOne != 0 && entries[slot].Hash != hash)
        {
            slot = slot + 1 < entries.Length ? slot + 1 : 0;
        }

        return ref entries[slot];
    }
}
