using System.Buffers;

namespace LoggingService.RoomLogs;

/// <summary>Bytes of an uncommitted batch, in pooled memory, which is returned after it. Closing the stream is a no-op.</summary>
internal sealed class PendingBytes : Stream
{
    private const int Least = 1024;
    private byte[] _buffer = [];
    private int _length;

    /// <summary>The bytes; valid until the next write.</summary>
    public ReadOnlySpan<byte> Span => _buffer.AsSpan(0, _length);

    public override long Length => _length;

    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Position { get => _length; set => throw new NotSupportedException(); }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (buffer.Length > _buffer.Length - _length)
        {
            var doubled = (int)Math.Min(2L * _buffer.Length, Array.MaxLength);
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(Least, Math.Max(checked(_length + buffer.Length), doubled)));
            Span.CopyTo(larger);
            GiveBack();
            _buffer = larger;
        }

        buffer.CopyTo(_buffer.AsSpan(_length));
        _length += buffer.Length;
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void WriteByte(byte value) => Write([value]);

    public void Clear()
    {
        GiveBack();
        _buffer = [];
        _length = 0;
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();

    private void GiveBack()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }
    }
}
