namespace LoggingService.RoomLogs;

/// <summary>The hash of an id and the offset of its line.</summary>
internal readonly record struct EventIdEntry(ulong Hash, long Offset);

/// <summary>
/// Entries in memory, at most 36 bytes each: a dictionary takes 28 for each of its slots and here grows to the next of its
/// primes, by a fifth, instead of doubling; split into 16 partitions, it copies only one of them at a time.
/// </summary>
internal sealed class EventIdTable(ulong seed)
{
    private const int Partitions = 16;
    private readonly Dictionary<ulong, long>[] _partitions =
        [.. Enumerable.Range(0, Partitions).Select(_ => new Dictionary<ulong, long>())];

    public ulong Seed => seed;

    public long Size => _partitions.Sum(partition => partition.Capacity * 28L);

    public long? Get(ulong hash) => _partitions[hash % Partitions].TryGetValue(hash, out var offset) ? offset : null;

    public void Set(ulong hash, long offset)
    {
        var partition = _partitions[hash % Partitions];
        if (partition.Count == partition.Capacity)
        {
            partition.EnsureCapacity(partition.Count + 1);
        }

        partition[hash] = offset;
    }

    public EventIdEntry[] ToSortedArray() =>
    [
        .. _partitions
            .SelectMany(entries => entries)
            .Select(entry => new EventIdEntry(entry.Key, entry.Value))
            .OrderBy(entry => entry.Hash),
    ];
}
