using System.Globalization;
using System.Text;
using LoggingService.Events;
using LoggingService.Rendering;

namespace LoggingService.Tests;

/// <summary>Every code point between two letters, in the bytes of each form.</summary>
public class EscapingTests
{
    private static readonly (int First, int Last)[] Escaped =
    [
        (0x80, 0x9F), (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
        (0x200B, 0x200D), (0x2028, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xD800, 0xDFFF), (0xFDD0, 0xFDEF),
        (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0xFFFE, 0xFFFF), (0x1BCA0, 0x1BCA3),
        (0x1D173, 0x1D17A), (0x1FFFE, 0x1FFFF), (0x2FFFE, 0x2FFFF), (0x3FFFE, 0x3FFFF), (0x4FFFE, 0x4FFFF), (0x5FFFE, 0x5FFFF),
        (0x6FFFE, 0x6FFFF), (0x7FFFE, 0x7FFFF), (0x8FFFE, 0x8FFFF), (0x9FFFE, 0x9FFFF), (0xAFFFE, 0xAFFFF), (0xBFFFE, 0xBFFFF),
        (0xCFFFE, 0xCFFFF), (0xDFFFE, 0xE0FFF), (0xEFFFE, 0xEFFFF), (0xFFFFE, 0xFFFFF), (0x10FFFE, 0x10FFFF),
    ];

    private static readonly (int First, int Last)[] PercentEncodedInIds =
    [
        (0x20, 0x20), (0x22, 0x22), (0x25, 0x25), (0x2C, 0x2C), (0x3C, 0x3C), (0x3E, 0x3E), (0x5C, 0x5C), (0xA0, 0xA0),
        (0x1680, 0x1680), (0x2000, 0x200A), (0x202F, 0x202F), (0x205F, 0x205F), (0x2800, 0x2800), (0x3000, 0x3000),
    ];

    private readonly LineBuffer _output = new();

    [Fact]
    public void Every_character_is_kept_or_escaped_as_in_the_table()
    {
        for (var code = 0; code <= 0x10FFFF; code++)
        {
            var self = Encode(code);
            var inText = code < 0x20 ? Encode(0x2400 + code)
                : code == 0x7F ? Encode(0x2421)
                : IsIn(Escaped, code) ? Encoding.ASCII.GetBytes($"\\u{{{code:X}}}")
                : self;
            var inQuotes = code is '"' or '\\' ? [(byte)'\\', .. self] : inText;
            var inId = IsIn(PercentEncodedInIds, code) ? PercentEncode(self)
                : code is 0x200E or 0x200F ? Encoding.ASCII.GetBytes($"\\u{{{code:X}}}")
                : inText;
            var text = new Utf8Text((byte[])[(byte)'a', .. self, (byte)'b']);

            Check(code, [(byte)'a', .. inText, (byte)'b'], SafeText.Escape(text));
            Check(code, [.. "\"a"u8, .. inQuotes, .. "b\""u8], SafeText.Quoted(text));
            Check(code, [(byte)'a', .. inId, (byte)'b'], SafeText.UserId(text));
        }
    }

    // Not the data of a theory: an attribute can't hold unpaired surrogates.
    [Fact]
    public void Text_of_JSON_is_the_same_as_UTF_8_and_as_UTF_16()
    {
        Check("hello", "hello");
        Check("""\u0068\u00e5\u20AC\ud83E\uDD8A""", "hå€🦊");
        Check("""\"\\\/\b\f\n\r\t""", "\"\\/\b\f\n\r\t");
        Check("""å\u00e5🦊\ud83e\udd8a\\u0041""", "åå🦊🦊\\u0041");
        Check("""\ud83d""", "\ud83d");
        Check("""a\udc00b""", "a\udc00b");
        Check("""\ud83d\ud83d\ude00""", "\ud83d😀");
        Check("""\ude00\ud83d""", "\ude00\ud83d");
        Check("""\ud83d\\ude00""", "\ud83d\\ude00");
        Check("""\ud83d\u0041""", "\ud83dA");
        Check("", "");

        static void Check(string encoded, string text)
        {
            Assert.True(RawJson.TryParse(Encoding.UTF8.GetBytes($"\"{encoded}\""), out var json, out _));
            Assert.Equal(text, json.AsString());
            Assert.Equal(text, json.AsText().ToString());
            Assert.Equal(Utf8Text.From(text), json.AsText());
            Assert.Equal([.. CodePoints(text).SelectMany(Encode)], json.AsText()!.Value.Bytes.ToArray());
        }
    }

    private void Check(int code, byte[] expected, SafeText actual)
    {
        _output.Clear();
        actual.WriteTo(_output);
        if (!_output.Written.SequenceEqual(expected))
        {
            Assert.Fail($"U+{code:X4}: {Convert.ToHexString(_output.Written)} instead of {Convert.ToHexString(expected)}");
        }
    }

    private static bool IsIn((int First, int Last)[] table, int code) =>
        Array.Exists(table, range => range.First <= code && code <= range.Last);

    private static byte[] PercentEncode(byte[] bytes) =>
        Encoding.ASCII.GetBytes(string.Concat(bytes.Select(static b => string.Create(CultureInfo.InvariantCulture, $"%{b:X2}"))));

    private static IEnumerable<int> CodePoints(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            yield return char.IsSurrogatePair(text, i) ? char.ConvertToUtf32(text, i++) : text[i];
        }
    }

    /// <summary>UTF-8, also of surrogates.</summary>
    private static byte[] Encode(int code) => code switch
    {
        < 0x80 => [(byte)code],
        < 0x800 => [(byte)(0xC0 | (code >> 6)), Continuation(code)],
        < 0x10000 => [(byte)(0xE0 | (code >> 12)), Continuation(code >> 6), Continuation(code)],
        _ => [(byte)(0xF0 | (code >> 18)), Continuation(code >> 12), Continuation(code >> 6), Continuation(code)],
    };

    private static byte Continuation(int code) => (byte)(0x80 | (code & 0x3F));
}
