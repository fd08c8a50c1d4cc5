using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace LoggingService.Tests.Reliability;

/// <summary>What strace wrote of a process (<c>-f -xx</c>): its system calls, each where it began and where it ended.</summary>
internal static partial class StraceLog
{
    /// <summary>A system call.</summary>
    internal sealed class Call(string name, string arguments)
    {
        private string[]? _split;

        /// <summary>Its name, as <c>pwrite64</c>.</summary>
        public string Name { get; } = name;

        /// <summary>What it returned; <c>null</c> until then, and where a kill came first.</summary>
        public long? Result { get; private set; }

        /// <summary>How many arguments there are.</summary>
        public int Count => Arguments.Length;

        private string[] Arguments => _split ??= arguments.Split(", ");

        /// <summary>An argument that is a number.</summary>
        public long Number(int index) => long.Parse(Arguments[index], CultureInfo.InvariantCulture);

        /// <summary>An argument as it is written.</summary>
        public string Word(int index) => Arguments[index];

        /// <summary>An argument that is bytes; none where it is no string.</summary>
        public byte[] Bytes(int index) =>
            Arguments[index] is ['"', .. var hex, '"'] ? Convert.FromHexString(hex.Replace("\\x", "", StringComparison.Ordinal)) : [];

        /// <summary>An argument that is a path or another text.</summary>
        public string Text(int index) => Encoding.UTF8.GetString(Bytes(index));

        /// <summary>Completes it.</summary>
        public void End(string rest, long? result) => (arguments, _split, Result) = (arguments + rest, null, result);

        public override string ToString() =>
            $"{Name}({HexString().Replace(arguments, hex => hex.Length > 1000 ? "…" : Encoding.UTF8.GetString(Convert.FromHexString(hex.Value.Replace("\\x", "", StringComparison.Ordinal))))}) = {Result}";
    }

    /// <summary>Reads strace's file: each call twice, where it began and where it ended; one that a kill cut off ends with the process, without a result.</summary>
    public static IEnumerable<(Call Call, bool IsEnd)> Read(string path)
    {
        var unfinished = new Dictionary<string, Call>();
        foreach (var line in File.ReadLines(path))
        {
            if (Whole().Match(line) is { Success: true } whole)
            {
                var call = new Call(whole.Groups["name"].Value, whole.Groups["arguments"].Value);
                yield return (call, false);
                call.End("", Number(whole));
                yield return (call, true);
            }
            else if (Begin().Match(line) is { Success: true } begin)
            {
                yield return (unfinished[begin.Groups["thread"].Value] = new(begin.Groups["name"].Value, begin.Groups["arguments"].Value), false);
            }
            else if (Resumed().Match(line) is { Success: true } resumed && unfinished.Remove(resumed.Groups["thread"].Value, out var call))
            {
                call.End(resumed.Groups["arguments"].Value, Number(resumed));
                yield return (call, true);
            }
        }

        foreach (var call in unfinished.Values)
            yield return (call, true);
    }

    private static long? Number(Match match) =>
        long.TryParse(match.Groups["result"].Value, CultureInfo.InvariantCulture, out var number) ? number : null;

    [GeneratedRegex(@"^(?<thread>\d+) +(?<name>\w+)\((?<arguments>.*)\) += (?<result>-?\d+|\?|0x[0-9a-f]+)")]
    private static partial Regex Whole();

    [GeneratedRegex(@"^(?<thread>\d+) +(?<name>\w+)\((?<arguments>.*?) *<unfinished \.\.\.>(\) += \?)?$")]
    private static partial Regex Begin();

    [GeneratedRegex(@"^(?<thread>\d+) +<\.\.\. \w+ resumed>(?<arguments>.*)\) += (?<result>-?\d+|\?|0x[0-9a-f]+)")]
    private static partial Regex Resumed();

    [GeneratedRegex(@"(\\x[0-9a-f]{2})+")]
    private static partial Regex HexString();
}
