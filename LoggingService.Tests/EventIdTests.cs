using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using LoggingService.Logging;
using Microsoft.Extensions.Logging;

namespace LoggingService.Tests;

/// <summary>Each log message has an id of its own, from the block of its folder.</summary>
public partial class EventIdTests
{
    [Fact]
    public void Each_id_is_in_its_block_and_unique()
    {
        var min = 0;
        var max = -1;
        var ids = new List<int>();
        foreach (var line in File.ReadLines(Path.Combine(ThisFolder(), "../LoggingService/Logging/EventIds.cs")))
        {
            if (Block().Match(line) is { Success: true } block)
            {
                min = Number(block.Groups[1]);
                max = Number(block.Groups[2]);
            }

            if (Constant().Match(line) is { Success: true } constant)
            {
                ids.Add(Number(constant.Groups[1]));
                Assert.True(ids[^1] >= min && ids[^1] <= max, line);
            }
        }

        Assert.Equal(Constants().Select(constant => constant.Id).Order(), ids.Order());
        Assert.Equal(ids.Distinct().Count(), ids.Count);
    }

    [Fact]
    public void Each_id_belongs_to_one_message()
    {
        var messages =
            from type in typeof(Program).Assembly.GetTypes()
            from method in type.GetMethods(
                BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
            let message = method.GetCustomAttribute<LoggerMessageAttribute>()
            where message is not null
            select (Id: message.EventId, Name: $"{type.DeclaringType?.FullName}.{method.Name}");
        var constants = Constants().ToList();

        var wrong = messages.Where(message => constants.TrueForAll(constant => constant.Id != message.Id))
            .Select(message => $"{message.Name}: {message.Id}")
            .Concat(constants.Where(constant => messages.Count(message => message.Id == constant.Id) != 1)
                .Select(constant => $"EventIds.{constant.Name}"));
        Assert.True(!wrong.Any(), string.Join('\n', wrong));
    }

    private static IEnumerable<(string Name, int Id)> Constants() =>
        typeof(EventIds).GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
            .Select(field => (field.Name, (int)field.GetValue(null)!));

    private static int Number(Group digits) => int.Parse(digits.Value, CultureInfo.InvariantCulture);

    private static string ThisFolder([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;

    [GeneratedRegex(@"^ +// .*: (\d+) to (\d+)\.")]
    private static partial Regex Block();

    [GeneratedRegex(@"const int \w+ = (\d+);")]
    private static partial Regex Constant();
}
