using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using LoggingService.Files;
using LoggingService.RoomLogs;

namespace LoggingService.Cli;

/// <summary>
/// The export of one room: as text or records a folder with a file for each day that has events, for Element one JSON file. Each file is
/// complete or missing. Compressed days are read as the others.
/// </summary>
internal sealed class RoomExport
{
    private const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode FolderMode = FileMode | UnixFileMode.UserExecute;
    private readonly ExportRequest _request;
    private readonly string _folder;
    private readonly string _output;
    private readonly byte[] _user;

    /// <param name="name">The name of the room's folder.</param>
    public RoomExport(string root, string name, ExportRequest request, string output)
    {
        Name = name;
        _request = request;
        _folder = Path.Combine(root, name);
        _output = Path.Combine(output, name);
        _user = Encoding.UTF8.GetBytes(request.User ?? "");
        Days =
        [
            .. DayFileName.In(_folder).Where(file => file.IsRecord && request.Contains(file.Day))
                .Select(file => file.Day).Distinct().Order(),
        ];
    }

    public string Name { get; }

    /// <summary>In their order.</summary>
    public IReadOnlyList<DateOnly> Days { get; }

    /// <summary>Exports a day, durably; returns the number of events.</summary>
    /// <exception cref="IOException">A file can't be read or written.</exception>
    public long ExportDay(DateOnly day)
    {
        var path = OutputPath(day);
        var events = 0L;
        using var lines = Lines(day).GetEnumerator();
        if (!lines.MoveNext())
        {
            File.Delete(path);
            return 0;
        }

        Directory.CreateDirectory(_output, FolderMode);
        AtomicFile.Replace(path, FileMode, file =>
        {
            do
            {
                file.Write(lines.Current.Span);
                file.WriteByte((byte)'\n');
                events++;
            }
            while (lines.MoveNext());
        });
        return events;
    }

    /// <summary>Completes the export; false if the room has no events in it.</summary>
    public bool Complete()
    {
        if (!Directory.Exists(_output))
        {
            return false;
        }

        if (_request.Format == ExportFormat.Element)
        {
            AtomicFile.Replace($"{_output}.json", FileMode, WriteElement);
            Directory.Delete(_output, recursive: true);
        }

        return true;
    }

    private string OutputPath(DateOnly day) =>
        Path.Combine(_output, Path.ChangeExtension(DayFileName.Record(day).ToString(), _request.Extension));

    /// <summary>The lines of the day's file, each for one event.</summary>
    private IEnumerable<ReadOnlyMemory<byte>> Lines(DateOnly day)
    {
        var record = Path.Combine(_folder, DayFileName.Record(day).ToString());
        using var texts = _request.Format == ExportFormat.Text ? Texts(day, record).GetEnumerator() : null;
        foreach (var line in RecordReader.Lines(record))
        {
            texts?.MoveNext();
            if (IsExported(line.Bytes))
            {
                yield return texts?.Current ?? line.Bytes;
            }
        }
    }

    private bool IsExported(ReadOnlyMemory<byte> line)
    {
        if (_request.Format == ExportFormat.Element && Note.IsRecord(line.Span))
        {
            return false;
        }

        // Not as a RoomEvent: an erased event has no room id.
        return _request.User is null
            || (line.Span.IndexOf(_user) >= 0
                && RawJson.TryParse(line, out var json, out _)
                && (json["sender"u8].IsString(_user) || json["state_key"u8].IsString(_user)));
    }

    /// <summary>The lines of the day's text; rendered from the record where the text is missing or does not match.</summary>
    private IEnumerable<ReadOnlyMemory<byte>> Texts(DateOnly day, string record)
    {
        var text = Path.Combine(_folder, DayFileName.Text(day).ToString());
        if (DayFile.Find(text) is not null && RecordReader.Lines(text).LongCount() == RecordReader.Lines(record).LongCount())
        {
            return RecordReader.Lines(text).Select(line => line.Bytes);
        }

        using var output = new StringWriter();
        var rendered = new RecordText(output, TimeZoneInfo.Local, Console.Error);
        if (RoomFolder.NewestDayBefore(_folder, day) is { } before)
        {
            rendered.ReadBefore(DayFile.Find(Path.Combine(_folder, DayFileName.Record(before).ToString()))!);
        }

        rendered.Write(DayFile.Find(record)!);
        return output.ToString().Split('\n').Select(line => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(line));
    }

    /// <summary>As Element exports a chat: an object with the room's properties, and its events in <c>messages</c>.</summary>
    private void WriteElement(FileStream file)
    {
        using var json = new Utf8JsonWriter(
            file, new() { Indented = true, SkipValidation = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        json.WriteString("room_name", RoomRecords.FindName(_folder, long.MaxValue) ?? RoomRecords.FindLast(_folder)?.RoomId ?? Name);
        json.WriteString("room_creator", RoomRecords.FindState(_folder, "m.room.create"u8)?.Sender ?? "");
        json.WriteString("topic", RoomRecords.FindState(_folder, "m.room.topic"u8)?.Content["topic"u8].AsString() ?? "");
        json.WriteString("export_date", DateTime.Now.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        json.WriteString("exported_by", "LoggingService");
        json.WriteStartArray("messages");
        foreach (var line in Days.Select(OutputPath).Where(File.Exists).SelectMany(RecordReader.Lines))
        {
            json.WriteRawValue(line.Bytes.Span, skipInputValidation: true);
            json.Flush();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
