using System.Buffers;

namespace LoggingService.RoomLogs;

/// <summary>
/// Bytes that wait for their batch to be committed, in pooled memory: between two batches a file holds none. Only to be
/// written to; who closes it as a stream, as the text's sink does, changes nothing.
/// </summary>
internal sealed class PendingBytes : Stream
{
    private const int Least = 1024;
    private byte[] _buffer = [];
    private int _length;

    /// <summary>The bytes; valid until the next write.</summary>
    public ReadOnlySpan<byte> Span => _buffer.AsSpan(0, _length);

    /// <inheritdoc/>
    public override long Length => _length;

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Position { get => _length; set => throw new NotSupportedException(); }

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (buffer.Length > _buffer.Length - _length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(Least, Math.Max(checked(_length + buffer.Length), (int)Math.Min(2L * _buffer.Length, Array.MaxLength))));
            Span.CopyTo(larger);
            GiveBack();
            _buffer = larger;
        }

        buffer.CopyTo(_buffer.AsSpan(_length));
        _length += buffer.Length;
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void WriteByte(byte value) => Write([value]);

    /// <summary>Forgets the bytes; their memory goes back.</summary>
    public void Clear()
    {
        GiveBack();
        (_buffer, _length) = ([], 0);
    }

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    private void GiveBack()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }
    }
}
