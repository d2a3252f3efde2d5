//===- IsaControl.td - instructions of the sequencer -----------*- tablegen -*-===//
// Part of acc. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef ISA_CONTROL_TD
#define ISA_CONTROL_TD

include "IsaLayouts.td"

class Control<string mnemonic, string cpp, int opcode, string summary, string action_>
    : IsaInstruction<mnemonic, cpp, opcode, CtrlWord, summary> {
  let action = action_;
  let engines = [Ctrl];
}

def : Control<"NOP", "Nop", 0x00, "nothing", "Nothing.">;
def : Control<"HALT", "Halt", 0x01, "end of the program",
              "Waits until every engine has finished; the run ends."> {
  let preconditions = ["the last instruction of main, and nowhere else", "every semaphore is 0"];
}
def : Control<"LI", "Li", 0x02, "load a constant", "r[rd] = imm"> {
  let uses = [Writes<"rd">, Value<"imm", "the constant">];
}

class Binary<string mnemonic, string cpp, int opcode, string summary, string action>
    : Control<mnemonic, cpp, opcode, summary, action> {
  let uses = [Writes<"rd">, Reads<"ra">, Reads<"rb">];
}
class Immediate<string mnemonic, string cpp, int opcode, string summary, string action>
    : Control<mnemonic, cpp, opcode, summary, action> {
  let uses = [Writes<"rd">, Reads<"ra">, Value<"imm", "second operand">];
}
def : Binary<"ADD", "Add", 0x03, "sum", "r[rd] = r[ra] + r[rb]">;
def : Binary<"SUB", "Sub", 0x04, "difference", "r[rd] = r[ra] − r[rb]">;
def : Binary<"MUL", "Mul", 0x05, "product", "r[rd] = r[ra] · r[rb]">;
def : Binary<"DIV", "Div", 0x06, "floor division", "r[rd] = ⌊r[ra] / r[rb]⌋"> {
  let preconditions = ["r[rb] ≠ 0"];
}
def : Binary<"MOD", "Mod", 0x07, "floor remainder", "r[rd] = r[ra] − r[rb] · ⌊r[ra] / r[rb]⌋"> {
  let preconditions = ["r[rb] ≠ 0"];
}
def : Binary<"MIN", "Min", 0x08, "lesser", "r[rd] = min(r[ra], r[rb])">;
def : Binary<"MAX", "Max", 0x09, "greater", "r[rd] = max(r[ra], r[rb])">;
def : Immediate<"ADDI", "AddI", 0x0A, "sum with a constant", "r[rd] = r[ra] + imm">;
def : Immediate<"MULI", "MulI", 0x0B, "product with a constant", "r[rd] = r[ra] · imm">;
def : Immediate<"DIVI", "DivI", 0x0C, "floor division by a constant", "r[rd] = ⌊r[ra] / imm⌋"> {
  let preconditions = ["imm ≠ 0"];
}
def : Immediate<"MODI", "ModI", 0x0D, "floor remainder by a constant",
                "r[rd] = r[ra] − imm · ⌊r[ra] / imm⌋"> {
  let preconditions = ["imm ≠ 0"];
}
def : Immediate<"MINI", "MinI", 0x0E, "lesser of a register and a constant", "r[rd] = min(r[ra], imm)">;
def : Immediate<"MAXI", "MaxI", 0x0F, "greater of a register and a constant", "r[rd] = max(r[ra], imm)">;
def : Binary<"CMPLT", "CmpLt", 0x10, "less than", "r[rd] = r[ra] < r[rb] ? 1 : 0">;
def : Binary<"CMPEQ", "CmpEq", 0x11, "equal", "r[rd] = r[ra] = r[rb] ? 1 : 0">;
def : Binary<"AND", "And", 0x12, "bitwise and", "r[rd] = r[ra] and r[rb]">;
def : Binary<"OR", "Or", 0x13, "bitwise or", "r[rd] = r[ra] or r[rb]">;
def : Binary<"XOR", "Xor", 0x14, "bitwise exclusive or", "r[rd] = r[ra] xor r[rb]">;
def : Binary<"SHL", "Shl", 0x15, "shift left", "r[rd] = r[ra] · 2^r[rb]"> {
  let preconditions = ["0 ≤ r[rb] ≤ 63"];
}
def : Binary<"SHR", "Shr", 0x16, "arithmetic shift right", "r[rd] = ⌊r[ra] / 2^r[rb]⌋"> {
  let preconditions = ["0 ≤ r[rb] ≤ 63"];
}
def : Immediate<"CMPLTI", "CmpLtI", 0x17, "less than a constant", "r[rd] = r[ra] < imm ? 1 : 0">;
def : Immediate<"CMPEQI", "CmpEqI", 0x18, "equal to a constant", "r[rd] = r[ra] = imm ? 1 : 0">;

def : Control<"LOOP", "Loop", 0x20, "counted loop",
              "n = ra ? min(r[ra], imm) : imm. Executes its body for r[rd] = 0, 1, …, n−1; not at all for n ≤ 0."> {
  let uses = [Writes<"rd", "counter">, Reads<"ra", "trips, or none">,
              ValueIn<"imm", 0, 0x7FFFFFFFFFFFFFFF, "bound of the trips">,
              Value<"aux", "length of the body with its END">];
  let hasOwnOperation = 1;
  let notes = "`imm` bounds the trips whatever the register holds: it is what the verifier uses.";
}
def : Control<"END", "End", 0x21, "end of a LOOP, IF or WHILE", "Goes to the next trip, or on."> {
  let hasOwnOperation = 1;
}
def : Control<"IF", "If", 0x22, "conditional", "Executes its body if r[ra] ≠ 0."> {
  let uses = [Reads<"ra", "condition">, Value<"aux", "length of the body with its END">];
  let hasOwnOperation = 1;
}
def : Control<"WHILE", "While", 0x23, "bounded loop with a condition",
              "Executes its body while r[ra] ≠ 0, tested before each trip. More than imm trips end the run with an error."> {
  let uses = [Reads<"ra", "condition">,
              ValueIn<"imm", 0, 0x7FFFFFFFFFFFFFFF, "bound of the trips">,
              Value<"aux", "length of the body with its END">];
  let hasOwnOperation = 1;
}
def : Control<"CALL", "Call", 0x24, "call of a routine", "Executes routine aux; registers and semaphores are shared."> {
  let uses = [ValueIn<"aux", 1, 0xFFFFFFFF, "number of the routine">];
  let preconditions = ["calls do not recurse and go at most 8 deep",
                       "the registers that the routine receives are in its declared ranges"];
  let hasOwnOperation = 1;
}
def : Control<"RET", "Ret", 0x25, "end of a routine", "Goes on behind the CALL."> {
  let preconditions = ["the last instruction of every routine but main, and nowhere else"];
}
def : Control<"LDS", "Lds", 0x26, "scalar from SRAM",
              "r[rd] = the element of type rb at SRAM address r[ra] + imm, sign- or zero-extended."> {
  let uses = [Writes<"rd">, Reads<"ra", "address">,
              ValueIn<"rb", 5, 13, "element type: an integer type or bool">,
              Value<"imm", "bytes added to the address">];
  let preconditions = ["the element was written before and CTRL has waited for its writer (SYNC on CTRL)"];
  let hasOwnOperation = 1;
}

#endif // ISA_CONTROL_TD
