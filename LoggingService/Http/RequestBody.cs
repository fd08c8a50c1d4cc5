using System.Buffers;

namespace LoggingService.Http;

/// <summary>One request body in contiguous pooled memory, which Dispose returns.</summary>
internal sealed class RequestBody(RequestBodyReader reader) : IDisposable
{
    /// <summary>Most transactions are a few KiB, some are a few MiB. Larger buffers are left to the garbage collector.</summary>
    private const int MaxPooledSize = 1 << 20;

    private const int InitialSize = 16 << 10;
    private static readonly ArrayPool<byte> Pool = ArrayPool<byte>.Create(MaxPooledSize, maxArraysPerBucket: 16);
    private byte[] _buffer = Pool.Rent(InitialSize);
    private int _length;
    private long _reserved;

    /// <summary>The whole body; invalid after Dispose.</summary>
    public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, _length);

    /// <exception cref="MatrixException">413 or 503: the body, or all bodies in flight, would exceed the limit.</exception>
    public void Append(ReadOnlySequence<byte> part)
    {
        var length = _length + part.Length;
        reader.Reserve(part.Length, length);
        _reserved += part.Length;
        if (length > _buffer.Length)
        {
            var larger = Pool.Rent((int)Math.Max(length, Math.Min(_buffer.Length * 2L, reader.MaxBytes)));
            Bytes.Span.CopyTo(larger);
            Pool.Return(_buffer);
            _buffer = larger;
        }

        part.CopyTo(_buffer.AsSpan(_length));
        _length = (int)length;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        reader.Release(_reserved);
        Pool.Return(_buffer);
        _reserved = 0;
        _buffer = [];
        _length = 0;
    }
}
