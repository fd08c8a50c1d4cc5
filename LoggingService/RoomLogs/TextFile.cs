using System.Text;
using LoggingService.Files;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Sinks.File;

namespace LoggingService.RoomLogs;

/// <summary>
/// A day's text, written by a Serilog file sink: an audit sink, which throws where an ordinary one swallows the error and the line. The
/// lines of a round are one event and one write. After a failure it must be disposed.
/// </summary>
internal sealed class TextFile : IDisposable
{
    private const string Lines = "Lines";
    private readonly Logger _sink;

    private TextFile(AppendFile file, string path)
    {
        File = file;
        _sink = new LoggerConfiguration().AuditTo.File(new LinesFormatter(), path, hooks: new AppendHook(file)).CreateLogger();
    }

    public AppendFile File { get; }

    /// <summary>Opens a day's text, created with mode 0640: the sink would make it readable for all users.</summary>
    public static TextFile Open(string path)
    {
        var file = AppendFile.Open(path);
        try
        {
            return new(file, path);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Appends lines, each with its line break.</summary>
    /// <exception cref="IOException">The disk is full or failed; a part of them may be in the file.</exception>
    public void Append(ReadOnlyMemory<byte> lines)
    {
        var property = new LogEventProperty(Lines, new ScalarValue(lines));
        try
        {
            _sink.Write(new LogEvent(default, LogEventLevel.Information, exception: null, MessageTemplate.Empty, [property]));
        }
        catch (AggregateException e)
        {
            throw new IOException(e.GetBaseException().Message, e);
        }
    }

    public void Dispose()
    {
        _sink.Dispose();
        File.Dispose();
    }

    /// <summary>Writes the UTF-8 of the lines to the stream below the sink's writer.</summary>
    private sealed class LinesFormatter : ITextFormatter
    {
        public void Format(LogEvent logEvent, TextWriter output) => ((StreamWriter)output).BaseStream.Write(
            ((ReadOnlyMemory<byte>)((ScalarValue)logEvent.Properties[Lines]).Value!).Span);
    }

    /// <summary>Replaces the file that the sink opened.</summary>
    private sealed class AppendHook(AppendFile file) : FileLifecycleHooks
    {
        public override Stream OnFileOpened(string path, Stream underlyingStream, Encoding encoding)
        {
            underlyingStream.Dispose();
            return file;
        }
    }
}
