using System.Runtime.CompilerServices;
using System.Text;

namespace LoggingService.Rendering;

/// <summary>
/// A part of a line that is safe to write: the service's own words, numbers, and text that <see cref="SafeText"/> escapes. An
/// interpolated string becomes one without UTF-16 in between, and accepts nothing else: text of a sender does not compile.
/// </summary>
[InterpolatedStringHandler]
internal sealed class Phrase(int literalLength, int formattedCount) : IEquatable<Phrase>
{
    private const int ExpectedLength = 24;
    private readonly LineBuffer _text = new(literalLength + (formattedCount * ExpectedLength));

    /// <summary>Use it instead of <c>null</c> next to literals: there <c>null</c> would be an empty span, so an empty phrase.</summary>
    public static Phrase? None => null;

    public ReadOnlySpan<byte> Span => _text.Written;

    public static implicit operator Phrase(ReadOnlySpan<byte> words)
    {
        var phrase = new Phrase(words.Length, 0);
        phrase._text.Append(words);
        return phrase;
    }

    public static implicit operator Phrase(SafeText text)
    {
        var phrase = new Phrase(0, 1);
        text.WriteTo(phrase._text);
        return phrase;
    }

    public void AppendLiteral(string words) => _text.Advance(Encoding.UTF8.GetBytes(words, _text.GetSpan(words.Length * 3)));

    public void AppendFormatted(ReadOnlySpan<byte> words) => _text.Append(words);

    public void AppendFormatted(Phrase? phrase) => _text.Append(phrase is null ? default : phrase.Span);

    public void AppendFormatted(SafeText text) => text.WriteTo(_text);

    public void AppendFormatted(long number, string? format = null) => _text.AppendFormatted(number, format);

    public void AppendFormatted(double number, string format) => _text.AppendFormatted(number, format);

    public void AppendFormatted(DateTimeOffset time, string format) => _text.AppendFormatted(time, format);

    public bool Equals(Phrase? other) => other is not null && Span.SequenceEqual(other.Span);

    public override bool Equals(object? obj) => Equals(obj as Phrase);

    public override int GetHashCode() => new Utf8Text(_text.WrittenMemory).GetHashCode();
}
