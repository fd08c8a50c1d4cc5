using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace LoggingService.Tests.Support;

/// <summary>Writes the journal that a killed LoggingService 0.1 leaves: a frame for each batch, with the bytes of each file.</summary>
internal sealed class LegacyJournal(string logs)
{
    /// <summary>The line of an event in a record.</summary>
    public static string RecordLine(string e, long receivedTs) => $"{e[..^1]},\"received_ts\":{receivedTs}}}\n";

    public string PathOf(int number) => Path.Combine(logs, ".journal", $"{number:D6}");

    /// <summary>Appends a frame to a segment. Offsets continue those of the earlier writes unless they are given.</summary>
    public void Append(int segment, params IEnumerable<(string Name, long Offset, string Text)> writes)
    {
        Directory.CreateDirectory(Path.Combine(logs, ".journal"));
        using var payload = new MemoryStream();
        using (var writer = new BinaryWriter(payload, Encoding.UTF8, leaveOpen: true))
        {
            foreach (var (name, offset, text) in writes)
            {
                var bytes = Encoding.UTF8.GetBytes(text);
                writer.Write((ushort)Encoding.UTF8.GetByteCount(name));
                writer.Write(Encoding.UTF8.GetBytes(name));
                writer.Write(offset);
                writer.Write(bytes.Length);
                writer.Write(bytes);
            }
        }

        var header = new byte[12];
        BinaryPrimitives.WriteInt32LittleEndian(header, (int)payload.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(4), XxHash3.HashToUInt64(payload.ToArray()));
        AppendBytes(segment, [.. header, .. payload.ToArray()]);
    }

    /// <summary>Appends bytes that are no frame.</summary>
    public void AppendBytes(int segment, byte[] bytes)
    {
        using var file = new FileStream(PathOf(segment), FileMode.Append);
        file.Write(bytes);
    }
}
