using System.Globalization;

namespace LoggingService.Rendering;

/// <summary>A growing buffer of UTF-8, reused from line to line.</summary>
internal sealed class LineBuffer(int capacity = 1024)
{
    private byte[] _bytes = new byte[capacity];

    public int Length { get; private set; }

    /// <summary>Valid until the next change.</summary>
    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    /// <inheritdoc cref="Written"/>
    public ReadOnlyMemory<byte> WrittenMemory => _bytes.AsMemory(0, Length);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(GetSpan(bytes.Length));
        Length += bytes.Length;
    }

    public void AppendFormatted<T>(T value, ReadOnlySpan<char> format = default) where T : struct, IUtf8SpanFormattable
    {
        int written;
        for (var size = 32; !value.TryFormat(GetSpan(size), out written, format, CultureInfo.InvariantCulture); size *= 2)
        {
        }

        Length += written;
    }

    /// <summary>At least that many bytes after <see cref="Written"/>; what is written to them counts after <see cref="Advance"/>.</summary>
    public Span<byte> GetSpan(int size)
    {
        if (_bytes.Length - Length < size)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + size));
        }

        return _bytes.AsSpan(Length);
    }

    public void Advance(int count) => Length += count;

    public void Truncate(int length) => Length = Math.Min(length, Length);

    public void Clear() => Length = 0;
}
