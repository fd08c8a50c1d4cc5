using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace LoggingService.Files;

/// <summary>
/// A room id's or an alias's name in the file system. Two different ones never have the same name, no name leads out of
/// the folder, and a name shows nothing that a terminal would act on. Room ids and localparts may hold anything, slashes
/// and control characters too (Matrix specification, appendices "Room IDs", "Room Aliases").
/// </summary>
internal static class FolderName
{
    private const int LongestName = 200;
    private const int HashedPrefix = 160;

    /// <summary>The folder of a room; it begins with <c>!</c>.</summary>
    /// <param name="roomId">A room id; begins with <c>!</c>.</param>
    public static string ForRoom(string roomId) => Cut("!" + Encode(roomId.AsSpan(1), isRoomId: true), roomId);

    /// <summary>The link of an alias; it begins with neither <c>!</c> nor a dot.</summary>
    /// <param name="localpart">What stands between the alias's <c>#</c> and its first <c>:</c>.</param>
    public static string ForAlias(string localpart) =>
        localpart.Length == 0 ? "%" : Cut(Encode(localpart, isRoomId: false), localpart);

    private static string Encode(ReadOnlySpan<char> name, bool isRoomId)
    {
        var encoded = new StringBuilder(name.Length);
        Span<byte> utf8 = stackalloc byte[4];
        while (!name.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(name, out var rune, out var length) != System.Buffers.OperationStatus.Done)
            {
                // An unpaired surrogate, in the three bytes that no valid UTF-8 holds: a name of its own.
                var unit = name[0];
                encoded.Append(CultureInfo.InvariantCulture, $"%{0xE0 | (unit >> 12):X2}%{0x80 | ((unit >> 6) & 0x3F):X2}%{0x80 | (unit & 0x3F):X2}");
            }
            else if (Stands(rune, isFirst: encoded.Length == 0 && !isRoomId, isRoomId))
            {
                encoded.Append(name[..length]);
            }
            else
            {
                foreach (var octet in utf8[..rune.EncodeToUtf8(utf8)])
                {
                    encoded.Append(CultureInfo.InvariantCulture, $"%{octet:X2}");
                }
            }

            name = name[length..];
        }

        return encoded.ToString();
    }

    private static bool Stands(Rune rune, bool isFirst, bool isRoomId) => rune.Value switch
    {
        '_' => true,
        '.' or '-' => !isFirst,
        ':' => isRoomId,
        _ => Rune.IsLetterOrDigit(rune),
    };

    /// <summary>A name that the file system would find too long is cut and told apart by its hash, after a <c>~</c>, which no whole name holds.</summary>
    private static string Cut(string name, string original)
    {
        if (Encoding.UTF8.GetByteCount(name) <= LongestName)
        {
            return name;
        }

        var (cut, bytes) = (0, 0);
        foreach (var rune in name.EnumerateRunes())
        {
            if ((bytes += rune.Utf8SequenceLength) > HashedPrefix)
            {
                break;
            }

            cut += rune.Utf16SequenceLength;
        }

        var hash = SHA256.HashData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(original.AsSpan()));
        return $"{name[..cut]}~{Convert.ToHexStringLower(hash.AsSpan(0, 16))}";
    }
}
