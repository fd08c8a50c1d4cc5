using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;

namespace LoggingService.Files;

/// <summary>
/// The format of compressed days: gzip (RFC 1952) in members of at most 1 MiB, each cut at the end of a line. The extra field of a
/// member's header has a subfield <c>LS</c> with the member's length and that of its content, both as 32 bits, little-endian. So a reader
/// finds the member of an offset without an index, and decompresses no other.
/// </summary>
internal static class GzipMembers
{
    /// <summary>The longest content of a member.</summary>
    public const int MaxContent = 1 << 20;

    public const int HeaderLength = 24;
    private const int TrailerLength = 8;

    /// <summary>A member whose content can't be compressed is longer, by 5 bytes for each block.</summary>
    private const int MaxLength = MaxContent * 2;

    // Magic, deflate, FEXTRA, no time, no hint, unknown system; 12 bytes of extra field: "LS", 8 bytes.
    private static ReadOnlySpan<byte> HeaderStart => [0x1F, 0x8B, 8, 4, 0, 0, 0, 0, 0, 255, 12, 0, (byte)'L', (byte)'S', 8, 0];

    /// <summary>Compresses a stream. An empty one becomes an empty member.</summary>
    public static void Write(Stream input, Stream output, CancellationToken cancellation)
    {
        var buffer = new byte[MaxContent];
        var filled = 0;
        var isEnd = false;
        for (var isFirst = true; !isEnd; isFirst = false)
        {
            cancellation.ThrowIfCancellationRequested();
            filled += input.ReadAtLeast(buffer.AsSpan(filled), buffer.Length - filled, throwOnEndOfStream: false);
            isEnd = filled < buffer.Length;
            var lineEnd = isEnd ? filled : buffer.AsSpan().LastIndexOf((byte)'\n') + 1;
            var length = isEnd || lineEnd > 0 ? lineEnd : filled;
            if (length > 0 || isFirst)
            {
                WriteMember(buffer.AsSpan(0, length), output);
            }

            buffer.AsSpan(length, filled - length).CopyTo(buffer);
            filled -= length;
        }
    }

    /// <summary>Reads the lengths in a header; <c>null</c> for gzip of other programs.</summary>
    public static (int Length, int Content)? ReadHeader(ReadOnlySpan<byte> header)
    {
        if (header.Length < HeaderLength || !header.StartsWith(HeaderStart))
        {
            return null;
        }

        var length = BinaryPrimitives.ReadUInt32LittleEndian(header[HeaderStart.Length..]);
        var content = BinaryPrimitives.ReadUInt32LittleEndian(header[(HeaderStart.Length + 4)..]);
        return length is > HeaderLength + TrailerLength and <= MaxLength && content <= MaxContent ? ((int)length, (int)content) : null;
    }

    private static void WriteMember(ReadOnlySpan<byte> content, Stream output)
    {
        using var deflated = new MemoryStream();
        using (var deflate = new DeflateStream(deflated, CompressionLevel.Optimal, leaveOpen: true))
        {
            deflate.Write(content);
        }

        Span<byte> header = stackalloc byte[HeaderLength];
        HeaderStart.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header[HeaderStart.Length..], HeaderLength + (int)deflated.Length + TrailerLength);
        BinaryPrimitives.WriteInt32LittleEndian(header[(HeaderStart.Length + 4)..], content.Length);
        output.Write(header);
        output.Write(deflated.GetBuffer().AsSpan(0, (int)deflated.Length));
        Span<byte> trailer = stackalloc byte[TrailerLength];
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, Crc32.HashToUInt32(content));
        BinaryPrimitives.WriteInt32LittleEndian(trailer[4..], content.Length);
        output.Write(trailer);
    }
}
