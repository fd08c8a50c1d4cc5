using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace LoggingService.Visibility;

/// <summary>
/// An event's or a user's id, in 16 bytes. The key of the hash is another one in each process, so that no sender can create two ids with
/// the same hash. It must not leave the process.
/// </summary>
internal readonly record struct IdHash(ulong Upper, ulong Lower) : IComparable<IdHash>
{
    private static readonly long Key = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long)));

    public static IdHash Of(string id)
    {
        var hash = XxHash128.HashToUInt128(MemoryMarshal.AsBytes(id.AsSpan()), Key);
        return new((ulong)(hash >> 64), (ulong)hash);
    }

    public int CompareTo(IdHash other) => Upper == other.Upper ? Lower.CompareTo(other.Lower) : Upper.CompareTo(other.Upper);
}
