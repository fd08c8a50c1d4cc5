using System.Buffers;
using System.Net;
using System.Text;

namespace LoggingService.Rendering;

/// <summary>The text of a message's HTML, for messages that have no other. (Client-Server API, "m.room.message msgtypes".)</summary>
internal sealed class HtmlText
{
    // Each starts a new line, before and behind it.
    private static readonly HashSet<string> Blocks =
    [
        "p", "div", "br", "hr", "li", "ul", "ol", "tr", "table", "caption", "blockquote", "pre", "details", "summary",
        "h1", "h2", "h3", "h4", "h5", "h6",
    ];

    // These have no end tag.
    private static readonly HashSet<string> Void =
        ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];

    private static readonly SearchValues<char> EndOfName = SearchValues.Create(" \t\r\n/=");

    private readonly StringBuilder _text = new();

    /// <summary>The open elements of a spoiler, from its own one on.</summary>
    private readonly Stack<string> _spoiler = new();
    private readonly string _html;
    private int _position;

    // Text is dropped until this many elements of the name have ended.
    private string? _dropped;
    private int _droppedDepth;
    private string? _link;
    private int _linkStart;
    private int _pre;
    private bool _hasUnclosedQuote;

    private HtmlText(string html) => _html = html;

    /// <summary>The text of the formatted body, in which a link is followed by its target; <c>null</c> if there is none.</summary>
    public static Utf8Text? Formatted(RawJson content) =>
        content["format"u8].IsString("org.matrix.custom.html"u8) && content["formatted_body"u8].AsString() is { } html
            ? Convert(html)
            : null;

    /// <summary>Never throws, whatever the HTML; <c>null</c> if it has no text.</summary>
    public static Utf8Text? Convert(string html)
    {
        var text = Utf8Text.From(new HtmlText(html).Read());
        return Blank.IsBlank(text.Span, alsoLineBreaks: true) ? null : text;
    }

    private string Read()
    {
        while (_position < _html.Length)
        {
            var next = _html.IndexOf('<', _position);
            next = next < 0 ? _html.Length : next;
            AddText(WebUtility.HtmlDecode(_html[_position..next]));
            _position = next;
            if (next < _html.Length)
            {
                ReadTag();
            }
        }

        EndLink();
        return _text.ToString().Trim();
    }

    private void ReadTag()
    {
        if (string.CompareOrdinal(_html, _position, "<!--", 0, 4) == 0)
        {
            var endOfComment = _html.IndexOf("-->", _position, StringComparison.Ordinal);
            _position = endOfComment < 0 ? _html.Length : endOfComment + 3;
            return;
        }

        var start = _position + 1;
        var isEnd = start < _html.Length && _html[start] == '/';
        var nameStart = isEnd ? start + 1 : start;
        var nameEnd = nameStart;
        while (nameEnd < _html.Length && (char.IsAsciiLetterOrDigit(_html[nameEnd]) || _html[nameEnd] == '-'))
        {
            nameEnd++;
        }

        if (_spoiler.Count > 0 && !IsPlainTag(nameStart, nameEnd, isEnd))
        {
            _position = _html.Length;
            return;
        }

        if (nameEnd == nameStart)
        {
            AddText("<");
            _position++;
            return;
        }

        var name = _html[nameStart..nameEnd].ToLowerInvariant();
        _position = EndOfTag(nameEnd);
        Handle(name, isEnd, _html.AsSpan(nameEnd, Math.Max(0, Math.Min(_position, _html.Length) - nameEnd)).TrimEnd('>'));
    }

    /// <summary>Whether a parser of HTML sees the same tag there, or the same text.</summary>
    private bool IsPlainTag(int nameStart, int nameEnd, bool isEnd) => nameEnd == nameStart
        ? !isEnd && (nameEnd == _html.Length || _html[nameEnd] is not ('!' or '?'))
        : char.IsAsciiLetter(_html[nameStart]) && nameEnd < _html.Length && _html[nameEnd] is ' ' or '\t' or '\r' or '\n' or '/' or '>';

    // Within quotes a > is part of a value.
    private int EndOfTag(int start)
    {
        var position = start;
        for (var quote = '\0'; position < _html.Length; position++)
        {
            var c = _html[position];
            if (quote != '\0')
            {
                quote = c == quote ? '\0' : quote;
            }
            else if (c == '>')
            {
                return position + 1;
            }
            else if (c is '"' or '\'' && !_hasUnclosedQuote)
            {
                quote = c;
            }
        }

        // The scan was in vain, once at most: any > ends a tag from here on.
        _hasUnclosedQuote = true;
        var end = _html.IndexOf('>', start);
        return end < 0 ? _html.Length : end + 1;
    }

    private void Handle(string name, bool isEnd, ReadOnlySpan<char> attributes)
    {
        if (_spoiler.Count > 0)
        {
            HandleInSpoiler(name, isEnd);
            return;
        }

        if (_dropped is not null)
        {
            _droppedDepth += name != _dropped ? 0 : isEnd ? -1 : 1;
            _dropped = _droppedDepth == 0 ? null : _dropped;
            return;
        }

        if (!isEnd && IsDropped(name, attributes))
        {
            if (name == "span")
            {
                AddText("(spoiler)");
                _spoiler.Push(name);
            }
            else
            {
                (_dropped, _droppedDepth) = (name, 1);
            }

            return;
        }

        if (Blocks.Contains(name))
        {
            StartLine();
            _pre = name != "pre" ? _pre : Math.Max(0, _pre + (isEnd ? -1 : 1));
            AddText(name == "li" && !isEnd ? "• " : "");
        }
        else if (name == "a")
        {
            EndLink();
            _link = isEnd ? null : Attribute(attributes, "href");
            _linkStart = _text.Length;
        }
        else if (name == "img")
        {
            AddText(Attribute(attributes, "alt") ?? Attribute(attributes, "title") ?? "");
        }
        else if (name is "td" or "th" && !isEnd && _text.Length > 0 && _text[^1] != '\n')
        {
            AddText(" ");
        }
    }

    /// <summary>Where end tags don't nest, a parser of HTML may end the spoiler later: the rest of the text belongs to it.</summary>
    private void HandleInSpoiler(string name, bool isEnd)
    {
        if (Void.Contains(name))
        {
            return;
        }

        if (!isEnd)
        {
            _spoiler.Push(name);
        }
        else if (_spoiler.Pop() != name)
        {
            _position = _html.Length;
        }
    }

    /// <summary>What is no text of the message, and what its reader has to uncover. (MSC4144 for the fallback of a name.)</summary>
    private static bool IsDropped(string name, ReadOnlySpan<char> attributes) =>
        name is "mx-reply" or "script" or "style" or "head"
        || (name == "span" && attributes.Contains("data-mx-spoiler", StringComparison.OrdinalIgnoreCase))
        || (name == "strong" && attributes.Contains("data-mx-profile-fallback", StringComparison.OrdinalIgnoreCase));

    private static string? Attribute(ReadOnlySpan<char> attributes, string name)
    {
        const string Spaces = " \t\r\n/";
        while (!(attributes = attributes.TrimStart(Spaces)).IsEmpty)
        {
            var end = attributes.IndexOfAny(EndOfName);
            var isMatch = attributes[..(end < 0 ? attributes.Length : end)].Equals(name, StringComparison.OrdinalIgnoreCase);
            attributes = end < 0 ? default : attributes[end..].TrimStart(Spaces);
            if (attributes is not ['=', ..])
            {
                continue;
            }

            var value = attributes[1..].TrimStart(Spaces);
            var quote = value is ['"' or '\'', ..] ? 1 : 0;
            var length = quote == 1 ? value[1..].IndexOf(value[0]) : value.IndexOfAny(" \t\r\n");
            attributes = length < 0 ? default : value[(length + (2 * quote))..];
            if (isMatch)
            {
                value = length < 0 ? value[quote..] : value.Slice(quote, length);
                return WebUtility.HtmlDecode(value.Trim().ToString()) is { Length: > 0 } decoded ? decoded : null;
            }
        }

        return null;
    }

    private void AddText(string text)
    {
        foreach (var c in _dropped is null && _spoiler.Count == 0 ? text : "")
        {
            // White space collapses, except for the wide ones and in a block of code.
            if (_pre > 0 || c is not (' ' or '\t' or '\r' or '\n'))
            {
                _text.Append(c);
            }
            else if (_text.Length > 0 && _text[^1] is not (' ' or '\n'))
            {
                _text.Append(' ');
            }
        }
    }

    private void StartLine()
    {
        if (_text.Length > _linkStart)
        {
            EndLink();
        }

        while (_text.Length > 0 && _text[^1] == ' ')
        {
            _text.Length--;
        }

        if (_text.Length > 0 && _text[^1] != '\n')
        {
            _text.Append('\n');
        }
    }

    /// <summary>Appends the target of a link, unless its text is the target.</summary>
    private void EndLink()
    {
        if (_link is { } link)
        {
            var start = Math.Min(_linkStart, _text.Length);
            var shown = _text.ToString(start, _text.Length - start).Trim();
            AddText(shown == link ? "" : shown.Length == 0 ? link : $" ({link})");
        }

        _link = null;
    }
}
