using System.IO.Hashing;
using System.Text;

namespace LoggingService.Events;

/// <summary>A cache of the strings that events repeat: room ids, senders, types. Each slot keeps its last decoded string.</summary>
internal static class SharedStrings
{
    /// <summary>Longer ids and types are invalid (Client-Server API, "Size limits").</summary>
    private const int MaxLength = 255;

    private static readonly string?[] Slots = new string?[4096];

    /// <summary>Decodes a JSON string, given without its quotes.</summary>
    public static string Decode(ReadOnlySpan<byte> encoded)
    {
        // An escaped string may equal the text of another one.
        if (encoded.Length > MaxLength || encoded.Contains((byte)'\\'))
        {
            return JsonString.Decode(encoded);
        }

        ref var slot = ref Slots[XxHash3.HashToUInt64(encoded) % (ulong)Slots.Length];
        var text = slot;
        if (text is null || !Ascii.Equals(encoded, text))
        {
            text = JsonString.Decode(encoded);
            slot = text;
        }

        return text;
    }
}
