using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace LoggingService.Events;

/// <summary>
/// Text as UTF-8. An unpaired surrogate, which only an escape sequence of JSON can produce, is encoded in three bytes as any
/// other character of its range (WTF-8), so that no text is lost or changed by its encoding.
/// </summary>
internal readonly struct Utf8Text(ReadOnlyMemory<byte> bytes) : IEquatable<Utf8Text>
{
    private const int SurrogateLength = 3;

    public ReadOnlyMemory<byte> Bytes { get; } = bytes;

    public ReadOnlySpan<byte> Span => Bytes.Span;

    /// <summary>In bytes.</summary>
    public int Length => Bytes.Length;

    public static bool operator ==(Utf8Text left, Utf8Text right) => left.Equals(right);

    public static bool operator !=(Utf8Text left, Utf8Text right) => !left.Equals(right);

    public static Utf8Text From(string text) => new(Encode(text));

    /// <summary>The surrogate at the start of bytes that are not valid UTF-8.</summary>
    public static char DecodeSurrogate(ReadOnlySpan<byte> bytes) =>
        (char)(((bytes[0] & 0x0F) << 12) | ((bytes[1] & 0x3F) << 6) | (bytes[2] & 0x3F));

    /// <summary>Encodes any UTF-16 unit but a pair of surrogates, and returns the number of bytes.</summary>
    public static int EncodeUnit(char unit, Span<byte> output)
    {
        if (Rune.TryCreate(unit, out var rune))
        {
            return rune.EncodeToUtf8(output);
        }

        output[0] = (byte)(0xE0 | (unit >> 12));
        output[1] = (byte)(0x80 | ((unit >> 6) & 0x3F));
        output[2] = (byte)(0x80 | (unit & 0x3F));
        return SurrogateLength;
    }

    public bool Equals(Utf8Text other) => Span.SequenceEqual(other.Span);

    public override bool Equals(object? obj) => obj is Utf8Text other && Equals(other);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(Span);
        return hash.ToHashCode();
    }

    public bool StartsWith(ReadOnlySpan<byte> prefix) => Span.StartsWith(prefix);

    public Utf8Text Slice(int start, int length) => new(Bytes.Slice(start, length));

    public override string ToString() => Decode(Span);

    /// <summary>The text as UTF-16, with its unpaired surrogates.</summary>
    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        if (Utf8.IsValid(bytes))
        {
            return Encoding.UTF8.GetString(bytes);
        }

        var text = new StringBuilder(bytes.Length);
        while (!bytes.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(bytes, out var rune, out var length) == OperationStatus.Done)
            {
                text.Append(rune);
                bytes = bytes[length..];
            }
            else
            {
                text.Append(DecodeSurrogate(bytes));
                bytes = bytes[SurrogateLength..];
            }
        }

        return text.ToString();
    }

    private static ReadOnlyMemory<byte> Encode(string text)
    {
        var bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        if (Utf8.FromUtf16(text, bytes, out _, out var written, replaceInvalidSequences: false) == OperationStatus.Done)
        {
            return bytes.AsMemory(0, written);
        }

        written = 0;
        for (var i = 0; i < text.Length;)
        {
            if (Rune.DecodeFromUtf16(text.AsSpan(i), out var rune, out var length) == OperationStatus.Done)
            {
                written += rune.EncodeToUtf8(bytes.AsSpan(written));
                i += length;
            }
            else
            {
                written += EncodeUnit(text[i], bytes.AsSpan(written));
                i++;
            }
        }

        return bytes.AsMemory(0, written);
    }
}
