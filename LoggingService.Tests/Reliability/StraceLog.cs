using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace LoggingService.Tests.Reliability;

/// <summary>Reads strace's log of a process (<c>-f -xx</c>): the start and the end of each system call.</summary>
internal static partial class StraceLog
{
    internal sealed class Call(string name, string arguments)
    {
        private string[]? _split;

        public string Name { get; } = name;

        /// <summary>The return value; <c>null</c> until the call ends, or if the process was killed during the call.</summary>
        public long? Result { get; private set; }

        public int Count => Arguments.Length;

        private string[] Arguments => _split ??= arguments.Split(", ");

        public long Number(int index) => long.Parse(Arguments[index], CultureInfo.InvariantCulture);

        /// <summary>An argument as strace prints it.</summary>
        public string Word(int index) => Arguments[index];

        /// <summary>A string argument as bytes; empty if the argument isn't a string.</summary>
        public byte[] Bytes(int index) =>
            Arguments[index] is ['"', .. var hex, '"'] ? FromHex(hex) : [];

        public string Text(int index) => Encoding.UTF8.GetString(Bytes(index));

        /// <summary>Completes the call with the rest of its arguments.</summary>
        public void End(string rest, long? result)
        {
            arguments += rest;
            _split = null;
            Result = result;
        }

        public override string ToString()
        {
            var readable = HexString().Replace(arguments, hex => hex.Length > 1000 ? "…" : Encoding.UTF8.GetString(FromHex(hex.Value)));
            return $"{Name}({readable}) = {Result}";
        }

        private static byte[] FromHex(string text) => Convert.FromHexString(text.Replace("\\x", ""));
    }

    /// <summary>
    /// Reads a log: each call twice, at its start and at its end. A call interrupted by a kill ends with the process, without a result.
    /// </summary>
    public static IEnumerable<(Call Call, bool IsEnd)> Read(string path)
    {
        var unfinished = new Dictionary<string, Call>();
        foreach (var line in File.ReadLines(path))
        {
            if (Complete().Match(line) is { Success: true } complete)
            {
                var call = new Call(complete.Groups["name"].Value, complete.Groups["arguments"].Value);
                yield return (call, false);
                call.End("", Result(complete));
                yield return (call, true);
            }
            else if (Unfinished().Match(line) is { Success: true } start)
            {
                var call = new Call(start.Groups["name"].Value, start.Groups["arguments"].Value);
                unfinished[start.Groups["thread"].Value] = call;
                yield return (call, false);
            }
            else if (Resumed().Match(line) is { Success: true } resumed
                && unfinished.Remove(resumed.Groups["thread"].Value, out var resumedCall))
            {
                resumedCall.End(resumed.Groups["arguments"].Value, Result(resumed));
                yield return (resumedCall, true);
            }
        }

        foreach (var call in unfinished.Values)
            yield return (call, true);
    }

    private static long? Result(Match match) =>
        long.TryParse(match.Groups["result"].Value, CultureInfo.InvariantCulture, out var number) ? number : null;

    [GeneratedRegex(@"^(?<thread>\d+) +(?<name>\w+)\((?<arguments>.*)\) += (?<result>-?\d+|\?|0x[0-9a-f]+)")]
    private static partial Regex Complete();

    [GeneratedRegex(@"^(?<thread>\d+) +(?<name>\w+)\((?<arguments>.*?) *<unfinished \.\.\.>(\) += \?)?$")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"^(?<thread>\d+) +<\.\.\. \w+ resumed>(?<arguments>.*)\) += (?<result>-?\d+|\?|0x[0-9a-f]+)")]
    private static partial Regex Resumed();

    [GeneratedRegex(@"(\\x[0-9a-f]{2})+")]
    private static partial Regex HexString();
}
