namespace LoggingService.RoomLogs;

/// <summary>A Bloom filter, 10 bits a hash: 7 bits within one block of 64 bytes, so one cache miss; 1 % false positives.</summary>
internal sealed class IdFilter
{
    private const int BlockWords = 8;

    public IdFilter(ulong seed, ulong[] words)
    {
        Seed = seed;
        Words = words;
        Size = words.LongLength * sizeof(ulong);
        Node = new(this);
    }

    public ulong Seed { get; }

    /// <summary><c>null</c> once the cache has evicted the filter, which can happen on any thread.</summary>
    public ulong[]? Words { get; set; }

    public long Size { get; }

    public LinkedListNode<IdFilter> Node { get; }

    public static ulong[] Create(EventIdEntry[] entries)
    {
        var words = new ulong[((entries.LongLength * 10 / (BlockWords * 64)) + 1) * BlockWords];
        foreach (var entry in entries)
        {
            Probe(words, entry.Hash, add: true);
        }

        return words;
    }

    public static bool MayContain(ulong[] words, ulong hash) => Probe(words, hash, add: false);

    private static bool Probe(ulong[] words, ulong hash, bool add)
    {
        // The high bits of the hash choose the block; the product's bits are independent of them.
        var block = words.AsSpan((int)Math.BigMul(hash, (ulong)(words.Length / BlockWords), out _) * BlockWords, BlockWords);
        var bits = hash * 0x9E3779B97F4A7C15;
        for (var i = 0; i < 7; i++, bits >>= 9)
        {
            ref var word = ref block[(int)(bits >> 6) & (BlockWords - 1)];
            var bit = 1UL << (int)(bits & 63);
            if (add)
            {
                word |= bit;
            }
            else if ((word & bit) == 0)
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary>Bounds the memory of the filters of all rooms. Thread-safe.</summary>
internal sealed class IdFilterCache(long capacity = IdFilterCache.Capacity)
{
    /// <summary>100 rooms with 30 days of 30,000 events need 110 MiB; with less, each of their events would read 30 filters.</summary>
    public const long Capacity = 128 * 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly LinkedList<IdFilter> _filters = [];

    public long Size { get; private set; }

    /// <summary>Adds a filter, or marks it as the most recently used; evicts the least recently used ones.</summary>
    public void Use(IdFilter filter)
    {
        lock (_lock)
        {
            Remove(filter);
            Size += filter.Size;
            while (Size > capacity && _filters.First is { Value: var oldest })
            {
                Remove(oldest);
                oldest.Words = null;
            }

            _filters.AddLast(filter.Node);
        }
    }

    public void Remove(IdFilter filter)
    {
        lock (_lock)
        {
            if (filter.Node.List is not null)
            {
                _filters.Remove(filter.Node);
                Size -= filter.Size;
            }
        }
    }
}
