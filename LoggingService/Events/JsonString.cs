using System.Buffers.Text;
using System.Text;

namespace LoggingService.Events;

/// <summary>Valid JSON strings: encoded bytes, without their quotes unless noted otherwise.</summary>
internal static class JsonString
{
    /// <summary>The length of the string that starts here, with its quotes.</summary>
    public static int LengthWithQuotes(ReadOnlySpan<byte> json)
    {
        for (var i = 1; ; i += 2)
        {
            i += json[i..].IndexOfAny((byte)'"', (byte)'\\');
            if (json[i] == '"')
            {
                return i + 1;
            }
        }
    }

    public static bool AreEqual(ReadOnlySpan<byte> encoded, ReadOnlySpan<byte> utf8) => encoded.Contains((byte)'\\')
        ? string.Equals(Decode(encoded), Encoding.UTF8.GetString(utf8), StringComparison.Ordinal)
        : encoded.SequenceEqual(utf8);

    /// <summary>Unpaired surrogates are kept.</summary>
    public static string Decode(ReadOnlySpan<byte> encoded)
    {
        var escape = encoded.IndexOf((byte)'\\');
        if (escape < 0)
        {
            return Encoding.UTF8.GetString(encoded);
        }

        var text = new StringBuilder(encoded.Length);
        for (; escape >= 0; escape = encoded.IndexOf((byte)'\\'))
        {
            text.Append(Encoding.UTF8.GetString(encoded[..escape]));
            if (encoded[escape + 1] == 'u')
            {
                _ = Utf8Parser.TryParse(encoded.Slice(escape + 2, 4), out ushort unit, out _, 'x');
                text.Append((char)unit);
                encoded = encoded[(escape + 6)..];
                continue;
            }

            text.Append((char)encoded[escape + 1] switch
            {
                'b' => '\b',
                'f' => '\f',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                var same => same,
            });
            encoded = encoded[(escape + 2)..];
        }

        return text.Append(Encoding.UTF8.GetString(encoded)).ToString();
    }
}
