using System.Buffers;

namespace LoggingService.Events;

/// <summary>
/// A place in the bytes of an array or object that is known to be valid JSON: it looks only for where values end, so it is
/// several times faster than a reader that checks each byte again. Depth costs it nothing.
/// </summary>
internal ref struct JsonCursor(ReadOnlySpan<byte> container)
{
    private static readonly SearchValues<byte> Brackets = SearchValues.Create("\"{}[]"u8);
    private static readonly SearchValues<byte> AfterLiteral = SearchValues.Create(" \t\r\n,}]"u8);
    private readonly ReadOnlySpan<byte> _bytes = container;

    // After the opening bracket.
    private int _position = 1;

    /// <summary>Moves to the next element, or to the next key; false where there is none.</summary>
    public bool MoveNext()
    {
        SkipToToken();
        return _bytes[_position] is not ((byte)'}' or (byte)']');
    }

    /// <summary>Moves over a key, to its value.</summary>
    /// <returns>The key as it was sent, with its escapes and without its quotes.</returns>
    public ReadOnlySpan<byte> ReadName()
    {
        var start = _position + 1;
        SkipString();
        var name = _bytes[start..(_position - 1)];
        SkipToToken();
        return name;
    }

    /// <summary>Moves over a value.</summary>
    /// <returns>Where its bytes are.</returns>
    public Range ReadValue()
    {
        var start = _position;
        switch (_bytes[_position])
        {
            case (byte)'"':
                SkipString();
                break;
            case (byte)'{' or (byte)'[':
                SkipContainer();
                break;
            default:
                _position += _bytes[_position..].IndexOfAny(AfterLiteral);
                break;
        }

        return start.._position;
    }

    /// <summary>What stands between tokens; where it is valid, it says nothing.</summary>
    private void SkipToToken()
    {
        while (_bytes[_position] is (byte)',' or (byte)':' or (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
        {
            _position++;
        }
    }

    private void SkipString()
    {
        for (_position++; ; _position += 2)
        {
            _position += _bytes[_position..].IndexOfAny((byte)'"', (byte)'\\');
            if (_bytes[_position] == '"')
            {
                _position++;
                return;
            }
        }
    }

    private void SkipContainer()
    {
        var depth = 0;
        do
        {
            _position += _bytes[_position..].IndexOfAny(Brackets);
            if (_bytes[_position] == '"')
            {
                SkipString();
            }
            else
            {
                depth += _bytes[_position] is (byte)'{' or (byte)'[' ? 1 : -1;
                _position++;
            }
        }
        while (depth > 0);
    }
}
