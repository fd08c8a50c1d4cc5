using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;

namespace LoggingService.Files;

/// <summary>
/// The file name of a room id or an alias: injective, without path separators, control characters or anything a terminal
/// interprets. Room ids and localparts may contain any of them (Matrix specification, appendices "Room IDs", "Room Aliases").
/// </summary>
internal static class FolderName
{
    private const int MaxBytes = 200;
    private const int TruncatedBytes = 160;

    /// <summary>The folder of a room; starts with <c>!</c>, as a room id does.</summary>
    public static string ForRoom(string roomId) => Truncate("!" + Encode(roomId.AsSpan(1), isRoomId: true), roomId);

    /// <summary>The room id that a folder is named after; <c>null</c> if the name was truncated, or is none.</summary>
    public static string? ToRoomId(string folder)
    {
        if (!folder.StartsWith('!'))
        {
            return null;
        }

        var roomId = "!" + Uri.UnescapeDataString(folder[1..]);
        return ForRoom(roomId) == folder ? roomId : null;
    }

    /// <summary>The link of an alias; starts with neither <c>!</c> nor a dot.</summary>
    /// <param name="localpart">The part of the alias between <c>#</c> and its first <c>:</c>.</param>
    public static string ForAlias(string localpart) =>
        localpart.Length == 0 ? "%" : Truncate(Encode(localpart, isRoomId: false), localpart);

    /// <summary>The localpart of the alias that a link is named after; <c>null</c> if the name was truncated, or is none.</summary>
    public static string? ToLocalpart(string link)
    {
        var localpart = link == "%" ? "" : Uri.UnescapeDataString(link);
        return ForAlias(localpart) == link ? localpart : null;
    }

    private static string Encode(ReadOnlySpan<char> name, bool isRoomId)
    {
        var encoded = new StringBuilder(name.Length);
        Span<byte> utf8 = stackalloc byte[4];
        while (!name.IsEmpty)
        {
            var isValid = Rune.DecodeFromUtf16(name, out var rune, out var length) == OperationStatus.Done;
            if (isValid && IsUnescaped(rune, isFirst: encoded.Length == 0 && !isRoomId, isRoomId))
            {
                encoded.Append(name[..length]);
            }
            else
            {
                foreach (var octet in utf8[..(isValid ? rune.EncodeToUtf8(utf8) : EncodeSurrogate(name[0], utf8))])
                {
                    encoded.Append($"%{octet:X2}");
                }
            }

            name = name[length..];
        }

        return encoded.ToString();
    }

    /// <summary>Encodes an unpaired surrogate as three bytes that valid UTF-8 never contains, so that the name stays unique.</summary>
    private static int EncodeSurrogate(char unit, Span<byte> bytes)
    {
        bytes[0] = (byte)(0xE0 | (unit >> 12));
        bytes[1] = (byte)(0x80 | ((unit >> 6) & 0x3F));
        bytes[2] = (byte)(0x80 | (unit & 0x3F));
        return 3;
    }

    private static bool IsUnescaped(Rune rune, bool isFirst, bool isRoomId) => rune.Value switch
    {
        '_' => true,
        '.' or '-' => !isFirst,
        ':' => isRoomId,
        _ => Rune.IsLetterOrDigit(rune),
    };

    /// <summary>Truncates a name that is too long for a file system and appends <c>~</c>, which is never unescaped, and a hash.</summary>
    private static string Truncate(string name, string original)
    {
        if (Encoding.UTF8.GetByteCount(name) <= MaxBytes)
        {
            return name;
        }

        Utf8.FromUtf16(name, stackalloc byte[TruncatedBytes], out var length, out _);
        var hash = SHA256.HashData(MemoryMarshal.AsBytes(original.AsSpan()));
        return $"{name[..length]}~{Convert.ToHexStringLower(hash.AsSpan(0, 16))}";
    }
}
