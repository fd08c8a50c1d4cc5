namespace LoggingService.RoomLogs;

/// <summary>
/// A Bloom filter of the ids of a room's earlier days, 14 bits a hash: 10 bits within one block of 64 bytes, so one cache miss; 0.3 % false
/// positives.
/// </summary>
/// <param name="count">How many hashes will be added.</param>
internal sealed class IdFilter(long count)
{
    private const int BlockWords = 8;
    private const int BitsPerHash = 14;
    private const int Probes = 10;
    private readonly ulong[] _words = new ulong[((count * BitsPerHash / (BlockWords * 64)) + 1) * BlockWords];

    /// <summary>Bytes in memory.</summary>
    public long Size => _words.LongLength * sizeof(ulong);

    public void Add(EventIdEntry[] entries)
    {
        foreach (var entry in entries)
        {
            Probe(entry.Hash, add: true);
        }
    }

    /// <summary>Whether a hash may be one of those.</summary>
    public bool MayContain(ulong hash) => Probe(hash, add: false);

    private bool Probe(ulong hash, bool add)
    {
        // The high bits of the hash choose the block; the product's bits are independent of them.
        var block = _words.AsSpan((int)(((hash >> 32) * (ulong)(_words.Length / BlockWords)) >> 32) * BlockWords, BlockWords);
        var bits = hash * 0x9E3779B97F4A7C15;
        var more = (hash ^ (hash >> 29)) * 0xBF58476D1CE4E5B9;
        for (var i = 0; i < Probes; i++, bits >>= 9)
        {
            bits = i == Probes / 2 ? more : bits;
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
